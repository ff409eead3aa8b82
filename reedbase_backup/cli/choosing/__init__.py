"""Which backup a person means by what they type."""
