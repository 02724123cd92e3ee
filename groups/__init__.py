"""Who may talk and who hears. Pure: no clock, no I/O, no await, no logging, no randomness."""
