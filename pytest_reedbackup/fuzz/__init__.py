"""Generated databases, histories and faults, held against a model."""
