"""What a node is made of, and how its parts are joined."""
