"""What was said and seen, in SQL: recordings, photos and notes, the evidence chain, exports, and how long it stays."""
