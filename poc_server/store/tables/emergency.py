"""Alerts, emergency calls, broadcasts with a receipt for each, plans, and where browsers are woken."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from poc_server.store.tables.base import ID, NAME, WORD, metadata

alert = Table(
    "alert",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("state", WORD, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("content", JSON, nullable=False),
    Index("ix_alert_open", "open"),
    Index("ix_alert_agency_id_raised_ms", "agency_id", "raised_ms"),
)

emergency_call = Table(
    "emergency_call",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("group_id", ID, nullable=False),
    Column("tier", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("content", JSON, nullable=False),
    Index("ix_emergency_call_open", "open"),
)

broadcast = Table(
    "broadcast",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("state", WORD, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("content", JSON, nullable=False),
    Index("ix_broadcast_open", "open"),
    Index("ix_broadcast_agency_id_started_ms", "agency_id", "started_ms"),
)

receipt = Table(
    "receipt",
    metadata,
    Column("broadcast_id", ID, ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, primary_key=True),
    Column("state", WORD),
    Column("sent_ms", BigInteger),
    Column("delivered_ms", BigInteger),
    Column("heard_ms", BigInteger),
    Column("acknowledged_ms", BigInteger),
)

plan = Table(
    "plan",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("unit_id", ID, nullable=False),
    Column("name", NAME, nullable=False),
    Column("content", JSON, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("ix_plan_agency_id", "agency_id"),
)

push_subscription = Table(
    "push_subscription",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("session_id", ID, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("p256dh", Text, nullable=False),
    Column("auth", Text, nullable=False),
    Column("language", WORD, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
