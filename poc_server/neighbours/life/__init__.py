"""Which of the other nodes live, and whether this one is together with them or on its own."""
