"""Emergencies on this server: alerts, emergency calls, broadcasts. Committed to SQL, read again at the start."""

from poc_server.emergency.emergency import Emergency
from poc_server.emergency.settings import EmergencySettings

__all__ = ["Emergency", "EmergencySettings"]
