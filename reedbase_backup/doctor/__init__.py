"""What is wrong with a database and its backups, found by looking alone.

`base.py` looks at the base, `tables.py` at what ReedBase's own calls would trip over (the
defects D7, D9, D16 and D17 of the baseline), `archives.py` at the backups.
"""
