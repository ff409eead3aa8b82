"""One implementation of any kind, started when it is needed, and called by tests."""
