"""What ``poc-server`` does beside serving: the database, the evidence, several nodes on one machine."""
