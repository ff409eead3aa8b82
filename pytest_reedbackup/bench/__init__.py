"""`python -m pytest_reedbackup.bench`: how fast implementations are beside tools that people know.

Each row is one job on one database, done in turn by an implementation and by its
peers, in alternating order, each on a clone of its own. What counts is the ratio of
each turn's pair: what else the machine does meets either of it.
"""
