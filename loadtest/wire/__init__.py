"""What a simulated phone says on the wire: WebSocket, STUN, DTLS, SRTP. Light enough for a thousand in one process."""
