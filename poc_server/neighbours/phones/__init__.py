"""Phones on several nodes: told to the others, counted, taken over, given up; and floors that nobody holds any more."""
