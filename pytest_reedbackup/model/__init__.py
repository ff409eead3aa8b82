"""What a run is about: cases, outcomes, verdicts, and why a case does not pass."""
