"""Conforming implementations that do it differently: each must pass everything.

The contract leaves them free in what they change, so a case that fails one of
them is a false alarm.
"""
