"""Child processes under strace: watched, killed, and given failing calls."""
