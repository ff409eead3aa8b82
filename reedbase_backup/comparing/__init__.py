"""What is live and what backups hold, held against each other."""
