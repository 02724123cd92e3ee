"""What wakes a phone that is not connected: the notice, Web Push, and any vendor's HTTP interface."""
