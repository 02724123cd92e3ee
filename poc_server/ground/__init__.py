"""What every part of the process may stand on, and which knows none of them."""
