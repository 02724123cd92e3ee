"""Written messages and status messages on this server: kept in SQL, then told; what waits is told on return."""

from poc_server.texts.desk import TextDesk
from poc_server.texts.settings import TextSettings

__all__ = ["TextDesk", "TextSettings"]
