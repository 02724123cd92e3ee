"""Wakes phones that are not connected: Web Push, and whatever a vendor's HTTP interface offers."""

from poc_server.notify.notifier import Notifier
from poc_server.notify.settings import NotifySettings

__all__ = ["Notifier", "NotifySettings"]
