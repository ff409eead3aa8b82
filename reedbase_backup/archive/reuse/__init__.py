"""What a backup takes over from the one before it: compressed files that are as they were."""
