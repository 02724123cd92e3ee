"""The mapping file: one vendor's documents become ours, our events become calls of theirs."""
