"""The WebRTC edge: one UDP port for all phones of a node, ICE-lite, DTLS, SRTP, and the relay."""
