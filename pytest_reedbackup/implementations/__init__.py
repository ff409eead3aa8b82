"""Reaching implementations: one interface, and one file a way to reach one."""
