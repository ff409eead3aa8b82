"""Putting a restored tree in place of the live one, whole or not at all."""
