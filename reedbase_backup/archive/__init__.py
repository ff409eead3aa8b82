"""Archives: how they are written, read, verified and bounded.

FORMAT.md beside this file has the whole format, and says which file decides what.
"""
