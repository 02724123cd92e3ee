"""Emergencies (TS 24.379 §6.2.8, §6.3.3): alerts, the condition of a group, broadcasts and their receipts. Pure."""
