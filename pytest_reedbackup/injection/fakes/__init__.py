"""A disk in memory (pyfakefs), of any size, for implementations in this very process."""
