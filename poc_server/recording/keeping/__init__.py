"""What stands in the folder of the recordings: how it is known, joined by photos, and deleted in its time."""
