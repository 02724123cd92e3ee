"""What a voice packet is. Pure but for libopus: RTP with its level, Opus, RED, downlink continuity, recordings."""
