"""Who hears again what was said, and what of it he missed."""
