"""The fixtures of the suite's own cases, which are not for users' tests.

A run of the suite reads no conftest.py, not even one of the suite's: it is closed
to whatever lies around it. So these are plugins, which are registered when a file
of the suite is collected, be it in a run of the suite or because somebody names
its folder to a pytest of their own. In all other runs they are not loaded, and
`pytest --fixtures` lists what is documented alone.
"""
