"""What it costs, and how long it takes: each figure of docs/performance.md that needs a set-up of its own."""
