"""What one node has another do with its phones: sent once and in order, and carried out there."""
