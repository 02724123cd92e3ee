"""What is kept, over HTTP: recordings and their replay, photos and notes, evidence, exports, retention, the audit."""
