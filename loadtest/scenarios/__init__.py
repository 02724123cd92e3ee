"""What the fleet does: one file per scenario, each ends in a `Result`."""
