"""The city over HTTP: sign-in, people, units, groups and their members, devices, duty, cells, sheets of all these."""
