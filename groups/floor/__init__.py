"""The floor machine of TS 24.380 §6.3: inputs, effects, the table of states × inputs, the queue."""
