"""What `reedbackup demo` tells and does: real commands on a real database, and what they print."""
