"""What was measured, for people: in the terminal, as a page, as a drawing."""
