"""A fleet of simulated phones that speaks only the wire."""
