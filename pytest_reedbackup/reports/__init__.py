"""Writers: each turns outcomes into one kind of report."""
