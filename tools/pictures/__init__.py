"""The pictures of docs/, drawn from real servers."""
