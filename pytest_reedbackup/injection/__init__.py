"""What makes things go wrong on purpose, one file a way."""
