"""Conforming implementations that survive power cuts and failing calls, each in another way.

They share the archive's format and how tables are locked; how an archive and a restored tree
come to their places, and what the next call does about what was left, is each one's own.
"""
