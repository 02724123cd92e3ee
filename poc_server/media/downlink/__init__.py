"""The voice that goes to phones: slots, and the fan-out that fills them."""
