"""The report as one HTML file: it needs no network, and a person reads it."""
