"""What cases expect of an implementation, and what it must come to."""
