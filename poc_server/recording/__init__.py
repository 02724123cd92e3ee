"""A listener like any other, which spools every talk burst to disk."""
