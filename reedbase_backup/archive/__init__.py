"""Archives: how they are written, read, verified and bounded."""
