"""What dispatchers do that is kept in SQL: the talk ban and the shift handover."""

from poc_server.dispatch.desk import DispatchDesk

__all__ = ["DispatchDesk"]
