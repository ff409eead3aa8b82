"""Populated ReedBase databases: described (`spec`), built (`build`), cached (`templates`), cloned.

Nothing in this room imports pytest. The layout on disk is contract `last`, "On disk".
"""
