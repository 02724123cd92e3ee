"""Written messages and how far each was read; shift handovers; patches."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, String, Table, Text, UniqueConstraint

from poc_server.store.tables.base import ID, NAME, WORD, metadata

THREAD = String(140)
"""``g:`` and a group, or ``u:`` and two users."""

text = Table(
    "text_message",
    metadata,
    Column("id", ID, primary_key=True),
    Column("thread", THREAD, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("agency_id", ID, nullable=False),
    Column("by_id", ID, nullable=False),
    Column("group_id", ID),
    Column("to_id", ID),
    Column("key", ID, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("status", WORD),
    Column("text", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    UniqueConstraint("by_id", "key"),
    UniqueConstraint("thread", "number"),
    Index("ix_text_message_group_id_number", "group_id", "number"),
    Index("ix_text_message_to_id_number", "to_id", "number"),
    Index("ix_text_message_at_ms", "at_ms"),
)

text_thread = Table(
    "text_thread",
    metadata,
    Column("thread", THREAD, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

text_read = Table(
    "text_read",
    metadata,
    Column("user_id", ID, primary_key=True),
    Column("thread", THREAD, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

passing_group = Table(
    "passing_group",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("unit_id", ID, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("name", NAME, nullable=False),
)
"""Groups that lived as long as their call and in which something was written."""

text_reader = Table(
    "text_reader",
    metadata,
    Column("group_id", ID, primary_key=True),
    Column("user_id", ID, primary_key=True),
    Column("until", BigInteger),
    Index("ix_text_reader_user_id", "user_id"),
)
"""Who may read there; up to message ``until`` when he left before it ended."""

handover = Table(
    "handover",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("by_id", ID, nullable=False),
    Column("to_id", ID, nullable=False),
    Column("state", WORD, nullable=False),
    Column("offered_ms", BigInteger, nullable=False),
    Column("decided_ms", BigInteger),
    Column("content", JSON, nullable=False),
    Index("ix_handover_state", "state"),
)

patch = Table(
    "patch",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("by_id", ID, nullable=False),
    Column("name", NAME, nullable=False),
    Column("groups", JSON, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)
