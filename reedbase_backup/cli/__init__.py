"""The command `reedbackup`."""
