"""What is made of a report that was written, after its run has ended."""
