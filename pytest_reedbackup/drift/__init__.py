"""The drift report: what the ticket says, what the baseline does, what was found."""
