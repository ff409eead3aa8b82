"""What a run of the suite shows while it goes on."""
