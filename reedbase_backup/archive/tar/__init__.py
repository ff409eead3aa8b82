"""Tar: headers as written, and as read of anybody."""
