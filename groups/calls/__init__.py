"""Calls that begin and end (TS 24.379): private, first-to-answer, to people picked on the spot, broadcast."""
