"""The city in SQL: people, units, groups and their members, cells, duty, sessions."""
