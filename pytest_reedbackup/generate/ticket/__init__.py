"""Generated histories for contract `ticket`."""
