"""From a spool to what is kept: its file made in the worker, its record in the journal."""
