"""Tries a mapping file on a sample, both ways, for the one who writes it."""
