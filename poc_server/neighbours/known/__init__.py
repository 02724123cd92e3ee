"""What this node knows of another and of each phone there, and what the parts beside this one need of both."""
