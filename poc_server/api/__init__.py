"""The HTTP interface: /api/v1, pages, health and metrics."""
