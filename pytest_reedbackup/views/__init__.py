"""What is on disk, read for comparison: trees, tables, users."""
