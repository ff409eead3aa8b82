"""pytest plugin and parity harness for implementations of ReedBase's backup module."""
