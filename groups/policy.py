"""The table of rights: group capability AND user right AND target rule; absent is no."""
