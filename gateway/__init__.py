"""Other people's systems: the case-system bridge, signed webhooks, notifiers, CAP."""
