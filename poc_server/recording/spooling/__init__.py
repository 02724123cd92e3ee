"""From the air to the disk: each talk burst in a spool of its own, while it is said."""
