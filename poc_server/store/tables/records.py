"""What was said and done: places, calls, bursts and their evidence, retention, audit.

Rows that come by the journal (call, burst, audit) have no foreign keys: what was said is kept whoever is deleted.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, LargeBinary, String, Table, Text

from poc_server.store.tables.base import ID, NAME, WORD, metadata, version

place = Table(
    "place",
    metadata,
    Column("user_id", ID, primary_key=True),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("agency_id", ID, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("content", JSON, nullable=False),
    Index("ix_place_at_ms", "at_ms"),
)

call = Table(
    "call",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("group_id", ID, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("initiator_id", ID),
    Column("tier", Integer, nullable=False),
    Column("incident", NAME),
    Column("node", ID, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("end_reason", WORD),
    Index("ix_call_group_id_started_ms", "group_id", "started_ms"),
    Index("ix_call_started_ms", "started_ms"),
)

burst = Table(
    "burst",
    metadata,
    Column("group_id", ID, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("key", ID, nullable=False, unique=True),
    Column("agency_id", ID, nullable=False),
    Column("unit_id", ID),
    Column("call_id", ID),
    Column("user_id", ID),
    Column("user_name", NAME, nullable=False),
    Column("device_id", ID),
    Column("tier", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("incident", NAME),
    Column("node", ID, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
    Column("end_reason", WORD, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("packets", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    Column("unrecorded", Integer, nullable=False),
    Column("filled_ms", BigInteger, nullable=False),
    Column("longitude", Float),
    Column("latitude", Float),
    Column("place", JSON),
    Column("file", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", ID, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
    Column("kept_ms", BigInteger, nullable=False),
    Index("ix_burst_started_ms", "started_ms"),
    Index("ix_burst_group_id_started_ms", "group_id", "started_ms"),
    Index("ix_burst_user_id_started_ms", "user_id", "started_ms"),
    Index("ix_burst_incident_started_ms", "incident", "started_ms"),
    Index("ix_burst_call_id", "call_id"),
)

burst_hearer = Table(
    "burst_hearer",
    metadata,
    Column("user_id", ID, primary_key=True),
    Column("key", ID, primary_key=True),
    Index("ix_burst_hearer_key", "key"),
)

absence = Table(
    "absence",
    metadata,
    Column("user_id", ID, primary_key=True),
    Column("seen_ms", BigInteger, nullable=False),
    Column("away_from_ms", BigInteger),
    Column("away_until_ms", BigInteger),
)

evidence = Table(
    "evidence",
    metadata,
    Column("group_id", ID, primary_key=True),
    Column("day", WORD, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", WORD, nullable=False),
    Column("subject", ID, nullable=False, unique=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("content_hash", LargeBinary(32), nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("content", Text),
)

evidence_chain = Table(
    "evidence_chain",
    metadata,
    Column("group_id", ID, primary_key=True),
    Column("day", WORD, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

evidence_day = Table(
    "evidence_day",
    metadata,
    Column("group_id", ID, primary_key=True),
    Column("day", WORD, primary_key=True),
    Column("entries", Integer, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("signed_entries", Integer, nullable=False),
    Column("signed_hash", LargeBinary(32)),
    Column("signed_ms", BigInteger),
    Column("signed_by", WORD),
    Column("signature", LargeBinary(64)),
    Index("ix_evidence_day_day", "day"),
)

retention_rule = Table(
    "retention_rule",
    metadata,
    Column("agency_id", ID, primary_key=True),
    Column("kind", WORD, primary_key=True),
    Column("target", NAME, primary_key=True),
    Column("days", Integer),
    Column("set_by", ID),
    Column("set_ms", BigInteger, nullable=False),
    version(),
)

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("target", NAME, nullable=False),
    Column("from_ms", BigInteger),
    Column("until_ms", BigInteger),
    Column("reason", Text, nullable=False),
    Column("begun_by", ID),
    Column("begun_ms", BigInteger, nullable=False),
    Column("ended_by", ID),
    Column("ended_ms", BigInteger),
    Index("ix_legal_hold_agency_id", "agency_id"),
)

file_removal = Table(
    "file_removal",
    metadata,
    Column("file", String(500), primary_key=True),
    Column("buried_ms", BigInteger, nullable=False),
)

folder_mark = Table(
    "folder_mark",
    metadata,
    Column("folder", WORD, primary_key=True),
    Column("mark", ID, nullable=False),
)

membership_period = Table(
    "membership_period",
    metadata,
    Column("group_id", ID, primary_key=True),
    Column("user_id", ID, primary_key=True),
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("until_ms", BigInteger),
    Index("ix_membership_period_user_id", "user_id"),
)

group_end = Table(
    "group_end",
    metadata,
    Column("group_id", ID, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("agency_id", ID),
    Column("unit_id", ID),
)

material = Table(
    "material",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("state", WORD, nullable=False),
    Column("group_id", ID, nullable=False),
    Column("unit_id", ID),
    Column("incident", NAME),
    Column("user_id", ID, nullable=False),
    Column("user_name", NAME, nullable=False),
    Column("device_id", ID),
    Column("note", Text, nullable=False),
    Column("origin", WORD, nullable=False),
    Column("taken_ms", BigInteger, nullable=False),
    Column("clock_offset_ms", BigInteger, nullable=False),
    Column("begun_ms", BigInteger, nullable=False),
    Column("kept_ms", BigInteger),
    Column("longitude", Float),
    Column("latitude", Float),
    Column("place", JSON),
    Column("cell", JSON),
    Column("media_type", WORD, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", ID, nullable=False),
    Column("file", Text, nullable=False),
    Column("detail", NAME, nullable=False),
    Index("ix_material_group_id_taken_ms", "group_id", "taken_ms"),
    Index("ix_material_incident_taken_ms", "incident", "taken_ms"),
    Index("ix_material_state_begun_ms", "state", "begun_ms"),
)

export = Table(
    "export",
    metadata,
    Column("id", ID, primary_key=True),
    Column("agency_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("node", ID, nullable=False),
    Column("title", NAME, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("alive_ms", BigInteger, nullable=False),
    Column("state", WORD, nullable=False),
    Column("recordings", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Column("until_ms", BigInteger),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("wish", Text),
    Index("ix_export_user_id", "user_id"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", ID, nullable=False, unique=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("agency_id", ID),
    Column("actor_id", ID),
    Column("action", WORD, nullable=False),
    Column("target_kind", WORD, nullable=False),
    Column("target_id", NAME, nullable=False),
    Column("detail", Text, nullable=False),
    Column("address", ID, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Index("ix_audit_at_ms", "at_ms"),
    Index("ix_audit_agency_id_seq", "agency_id", "seq"),
)

audit_chain = Table(
    "audit_chain",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("pruned_seq", BigInteger, nullable=False),
    Column("pruned_hash", LargeBinary(32), nullable=False),
)
