"""What leaves the server as a file, ordered by people."""
