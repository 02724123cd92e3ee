"""Common Alerting Protocol 1.2: messages in and out, and what one does here."""
