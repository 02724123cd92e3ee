"""What is said on the UDP port: datagrams, ICE, DTLS, SRTP, RTCP, and the descriptions that agree on them."""
