"""What the same work costs elsewhere, measured beside the server: a ratio of one run survives a noisy machine."""
