"""The voice that comes from a phone: checked, counted, and given its time."""
