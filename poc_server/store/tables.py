"""Every table. Times are ms since the epoch (UTC); ``version`` is the directory version of the row's last change.

Rows that come by the journal (call, burst, audit) have no foreign keys: what was said is kept whoever is deleted.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)
NAME = String(128)
WORD = String(32)


def _version() -> Column[int]:
    return Column("version", BigInteger, nullable=False, server_default=text("0"))


def _agency() -> Column[str]:
    return Column("agency_id", ID, ForeignKey("agency.id"), nullable=False)


def _agency_key() -> Column[str]:
    return Column("agency_id", ID, ForeignKey("agency.id"), primary_key=True)


agency = Table(
    "agency",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    _version(),
)

unit = Table(
    "unit",
    metadata,
    Column("id", ID, primary_key=True),
    _agency(),
    Column("parent_id", ID, ForeignKey("unit.id"), index=True),
    Column("name", NAME, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    _version(),
    Index("ix_unit_agency_id", "agency_id"),
)

user = Table(
    "users",
    metadata,
    Column("id", ID, primary_key=True),
    _agency(),
    Column("unit_id", ID, ForeignKey("unit.id"), nullable=False, index=True),
    Column("kind", WORD, nullable=False),
    Column("name", NAME, nullable=False),
    Column("initials", NAME, nullable=False, server_default=""),
    Column("badge", NAME, nullable=False, server_default=""),
    Column("account", NAME, unique=True),
    Column("password_hash", Text),
    Column("phone", NAME, nullable=False, server_default=""),
    Column("enabled", Boolean, nullable=False),
    Column("talk_banned", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    _version(),
    Index("ix_users_agency_id_name", "agency_id", "name"),
)

role = Table(
    "role",
    metadata,
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", WORD, primary_key=True),
)

device = Table(
    "device",
    metadata,
    Column("id", ID, primary_key=True),
    _agency(),
    Column("user_id", ID, ForeignKey("users.id", ondelete="SET NULL"), index=True),
    Column("name", NAME, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger),
    _version(),
    Index("ix_device_agency_id", "agency_id"),
)

group = Table(
    "talk_group",
    metadata,
    Column("id", ID, primary_key=True),
    _agency(),
    Column("unit_id", ID, ForeignKey("unit.id"), nullable=False, index=True),
    Column("name", NAME, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("floor", JSON, nullable=False),
    Column("emergency_allowed", Boolean, nullable=False),
    Column("monitoring_allowed", Boolean, nullable=False, server_default=true()),
    Column("duty_unit_id", ID),  # no foreign key: SQLite would have to make the table anew for one
    Column("enabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    _version(),
    Index("ix_talk_group_agency_id_name", "agency_id", "name"),
)

group_share = Table(
    "group_share",
    metadata,
    Column("group_id", ID, ForeignKey("talk_group.id", ondelete="CASCADE"), primary_key=True),
    Column("agency_id", ID, ForeignKey("agency.id", ondelete="CASCADE"), primary_key=True),
    Column("offered_ms", BigInteger, nullable=False),
    Column("offered_by", ID),
    Column("granted_ms", BigInteger),
    Column("granted_by", ID),
)

membership = Table(
    "membership",
    metadata,
    Column("group_id", ID, ForeignKey("talk_group.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("may_talk", Boolean, nullable=False),
    Column("may_preempt", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("by_duty", Boolean, nullable=False, server_default=false()),
    _version(),
)

shift = Table(
    "duty_shift",
    metadata,
    Column("id", ID, primary_key=True),
    _agency(),
    Column("unit_id", ID, ForeignKey("unit.id"), nullable=False),
    Column("name", NAME, nullable=False),
    Column("starts_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    _version(),
    Index("ix_duty_shift_agency_id_starts_ms", "agency_id", "starts_ms"),
    Index("ix_duty_shift_ends_ms", "ends_ms"),
)

shift_member = Table(
    "duty_member",
    metadata,
    Column("shift_id", ID, ForeignKey("duty_shift.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
)

cell = Table(
    "grid_cell",
    metadata,
    _agency_key(),
    Column("code", String(15), primary_key=True),
    Column("name", NAME, nullable=False),
    Column("unit_id", ID, ForeignKey("unit.id"), nullable=False),
    Column("user_id", ID, ForeignKey("users.id", ondelete="SET NULL")),
    Column("outline", JSON, nullable=False),
    Column("datum", WORD, nullable=False),
    _version(),
)

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

membership_period = Table(
    "membership_period",
    metadata,
    Column("group_id", ID, primary_key=True),
    Column("user_id", ID, primary_key=True),
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("until_ms", BigInteger),
    Index("ix_membership_period_user_id", "user_id"),
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

session = Table(
    "session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("device_id", ID, ForeignKey("device.id", ondelete="SET NULL"), index=True),
    Column("way", WORD, nullable=False),
    Column("address", ID, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("rotation", Integer, nullable=False),
    Column("rotated_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, index=True),
    Column("end_reason", WORD),
)

enrolment = Table(
    "enrolment",
    metadata,
    Column("id", ID, primary_key=True),
    Column("code_hash", LargeBinary(32), nullable=False, unique=True),
    Column("user_id", ID, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("device_name", NAME, nullable=False),
    Column("created_by", ID),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("spent_ms", BigInteger),
)

journal_position = Table(
    "journal_position",
    metadata,
    Column("journal", ID, primary_key=True),
    Column("segment", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
)

directory_version = Table(
    "directory_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)

directory_change = Table(
    "directory_change",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", WORD, primary_key=True),
    Column("target_id", ID, primary_key=True),
    Column("other_id", ID, primary_key=True),
)
