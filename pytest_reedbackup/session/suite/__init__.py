"""What a run of the suite has for itself: where the suite is, and how such a run starts."""
