"""Small implementations of contract `ticket`: honest ones, and ones that each tell one lie."""
