"""Emergencies over HTTP: alerts, broadcasts with their receipts and sound, saved plans."""
