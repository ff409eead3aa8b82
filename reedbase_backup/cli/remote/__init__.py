"""What the commands have in common that go to a far end."""
