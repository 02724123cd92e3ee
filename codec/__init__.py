"""What a voice packet is. Pure but for libopus: RTP, Opus, RED, levels, tones, downlink continuity."""
