"""What the store and the desk of one node learned and the others should know now."""
