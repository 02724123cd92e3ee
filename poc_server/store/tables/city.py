"""Agencies, units, people, groups, devices, duty, sessions, and the notes of what changed."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    false,
    true,
)

from poc_server.store.tables.base import ID, NAME, SORTED, WORD, agency_key, agency_of, metadata, version

agency = Table(
    "agency",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    version(),
)

unit = Table(
    "unit",
    metadata,
    Column("id", ID, primary_key=True),
    agency_of(),
    Column("parent_id", ID, ForeignKey("unit.id"), index=True),
    Column("name", NAME, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    version(),
    Index("ix_unit_agency_id", "agency_id"),
)

user = Table(
    "users",
    metadata,
    Column("id", ID, primary_key=True),
    agency_of(),
    Column("unit_id", ID, ForeignKey("unit.id"), nullable=False, index=True),
    Column("kind", WORD, nullable=False),
    Column("name", NAME, nullable=False),
    Column("initials", NAME, nullable=False, server_default=""),
    Column("spelled", Text, nullable=False, server_default=""),
    Column("sorted_as", SORTED, nullable=False, server_default=""),
    Column("badge", NAME, nullable=False, server_default=""),
    Column("account", NAME, unique=True),
    Column("password_hash", Text),
    Column("phone", NAME, nullable=False, server_default=""),
    Column("enabled", Boolean, nullable=False),
    Column("talk_banned", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    version(),
    Index("ix_users_agency_id_name", "agency_id", "name"),
    Index("ix_users_agency_id_sorted_as", "agency_id", "sorted_as", "id"),
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
    agency_of(),
    Column("user_id", ID, ForeignKey("users.id", ondelete="SET NULL"), index=True),
    Column("name", NAME, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger),
    version(),
    Index("ix_device_agency_id", "agency_id"),
)

group = Table(
    "talk_group",
    metadata,
    Column("id", ID, primary_key=True),
    agency_of(),
    Column("unit_id", ID, ForeignKey("unit.id"), nullable=False, index=True),
    Column("name", NAME, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("floor", JSON, nullable=False),
    Column("call_rules", JSON),
    Column("emergency_allowed", Boolean, nullable=False),
    Column("monitoring_allowed", Boolean, nullable=False, server_default=true()),
    Column("duty_unit_id", ID),  # no foreign key: SQLite would have to make the table anew for one
    Column("enabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    version(),
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
    version(),
)

shift = Table(
    "duty_shift",
    metadata,
    Column("id", ID, primary_key=True),
    agency_of(),
    Column("unit_id", ID, ForeignKey("unit.id"), nullable=False),
    Column("name", NAME, nullable=False),
    Column("starts_ms", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    version(),
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
    agency_key(),
    Column("code", String(15), primary_key=True),
    Column("name", NAME, nullable=False),
    Column("unit_id", ID, ForeignKey("unit.id"), nullable=False),
    Column("user_id", ID, ForeignKey("users.id", ondelete="SET NULL")),
    Column("outline", JSON, nullable=False),
    Column("datum", WORD, nullable=False),
    version(),
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
    Column("mark", ID),
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
