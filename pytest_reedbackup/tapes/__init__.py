"""Tapes: an implementation's calls, answers and changes on disk, to be played back elsewhere."""
