"""The demo city: people to step into, groups with voices in them. Never in production."""
