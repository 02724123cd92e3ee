"""Talk on this node: phones, the groups they are in, what is on air there, and who hears it."""
