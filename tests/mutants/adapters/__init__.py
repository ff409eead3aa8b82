"""Mutant adapters: they break the protocol, not contract `ticket`.

Behind each is the conforming implementation, and of its calls only restores are
answered wrongly: the rest of the suite must not suffer. An adapter that fails is
never an implementation that broke its promise, so the outcome is `error`.
"""
