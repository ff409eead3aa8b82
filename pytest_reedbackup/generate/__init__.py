"""Generated databases, histories and calls, held against a model or another implementation."""
