"""Recordings: calls, answers and changes on disk, to be played back elsewhere."""
