"""Power cuts on real file systems: what of a call had reached the disk, and what becomes of it."""
