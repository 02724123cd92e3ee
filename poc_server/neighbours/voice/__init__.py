"""Voice between nodes: from talkers here to who hears them there, and the other way round."""
