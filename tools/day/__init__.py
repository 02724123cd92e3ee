"""One day of a dispatched case, played with real browsers: ``python -m tools.day`` writes build/day.html."""
