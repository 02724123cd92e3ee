"""Calls on this node: private, first to answer, to several, full duplex, and those of standing groups (TS 24.379)."""
