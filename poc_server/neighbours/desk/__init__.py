"""The desk: one node decides calls and emergencies of the city, and any may be the one."""
