"""What dispatchers do that is kept in SQL: the talk ban, the shift handover and the patch."""

from poc_server.dispatch.desk import DispatchDesk

__all__ = ["DispatchDesk"]
