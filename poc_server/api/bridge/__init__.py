"""Other people's systems over HTTP: cases told and read, CAP, signed links, and the state of the bridge."""
