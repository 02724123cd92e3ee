"""CPU and file work in a process of its own, so that no Python thread ever holds up the media loop."""
