"""What is said on the wire: message models, limits, the session machine, and the endpoint that awaits."""
