"""The process: the only composition root, which joins groups, codec, signaling and gateway."""
