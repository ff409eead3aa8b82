"""What lies on disk, read for comparison: trees, tables, users."""
