"""What outlives the process: SQL tables, migrations, repositories, the journal, the in-memory directory."""

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection as Connection

from poc_server.store.audit import SYSTEM, Actor
from poc_server.store.change import Change
from poc_server.store.directory import Directory, DirectoryChange
from poc_server.store.directory.snapshot import Device, Shift, Snapshot
from poc_server.store.journal import BurstPlace, BurstRecord, CallEnded, CallStarted, IncidentJoined, Journal
from poc_server.store.settings import StoreSettings
from poc_server.store.store import Store

__all__ = [
    "SYSTEM",
    "Actor",
    "BurstPlace",
    "BurstRecord",
    "CallEnded",
    "CallStarted",
    "Change",
    "Connection",
    "Device",
    "Directory",
    "DirectoryChange",
    "IncidentJoined",
    "Journal",
    "Row",
    "Shift",
    "Snapshot",
    "Store",
    "StoreSettings",
]
