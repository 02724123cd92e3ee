"""What nodes share: floor and call state, presence, events, voice; one interface, in-process or on Redis."""
