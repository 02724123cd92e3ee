"""``make bench``: the project's table of figures, measured in one run on this machine."""
