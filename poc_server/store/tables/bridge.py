"""Tables of the bridge to other people's systems (docs/bridge.md): incidents, their events, and the way out."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from poc_server.store.tables.base import ID, NAME, WORD, metadata

CODE = String(64)
EVENT = String(256)

incident = Table(
    "incident",
    metadata,
    Column("agency_id", ID, primary_key=True),
    Column("code", CODE, primary_key=True),
    Column("group_id", ID, nullable=False, unique=True),
    Column("content", JSON, nullable=False),
    Column("state", WORD, nullable=False),
    Column("address", WORD, nullable=False),
    Column("title", Text, nullable=False),
    Column("cell", NAME, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("attention", Integer, nullable=False),
    Column("lamp", WORD, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, index=True),
    Column("unit_id", ID),
    Index("ix_incident_agency_id_address_updated_ms", "agency_id", "address", "updated_ms"),
)
"""``content`` is the machine's state, with what lists filter and sort by beside it; at ``due_ms`` time changes it;
``unit_id``: whose it is, also when its group has left the directory."""

incident_link = Table(
    "incident_link",
    metadata,
    Column("agency_id", ID, primary_key=True),
    Column("code", CODE, primary_key=True),
    Column("group_id", ID, primary_key=True, index=True),
)
"""Existing groups tied to incidents by hand; what is said there belongs to them too."""

incident_event = Table(
    "incident_event",
    metadata,
    Column("agency_id", ID, primary_key=True),
    Column("code", CODE, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False, unique=True),
    Column("id", EVENT, nullable=False),
    Column("type", WORD, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("recording", ID),
    Column("data", JSON, nullable=False),
    Index("ix_incident_event_agency_id_id", "agency_id", "id", unique=True),
)
"""The outbox: what happened, in the transaction of the fact. ``position`` is one order over all incidents."""

outbox_head = Table(
    "outbox_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)

receiver = Table(
    "receiver",
    metadata,
    Column("id", ID, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since_ms", BigInteger),
    Column("probe_ms", BigInteger),
    Column("stopped", Boolean, nullable=False),
)
"""How far into the outbox a receiver's deliveries were made, and how it has been doing."""

delivery = Table(
    "delivery",
    metadata,
    Column("receiver_id", ID, primary_key=True),
    Column("agency_id", ID, primary_key=True),
    Column("code", CODE, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("status", WORD, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("claimed_until_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Index("ix_delivery_receiver_id_status_next_ms", "receiver_id", "status", "next_ms"),
)

incident_untold = Table(
    "incident_untold",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("agency_id", ID, primary_key=True),
    Column("code", CODE, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("gone", JSON, nullable=False),
    Column("forward", JSON, nullable=False),
)
"""What phones have yet to learn of an incident (`poc_server.store.bridge.untold`). ``at_ms``: since when it is the
matter of the node that has it."""

poll = Table(
    "poll",
    metadata,
    Column("sender_id", ID, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("holder", ID, nullable=False, server_default=""),
    Column("held_until_ms", BigInteger, nullable=False, server_default="0"),
)
"""How far an endpoint was read. One node polls it, the ``holder``, as long as it says so."""

heard = Table(
    "heard",
    metadata,
    Column("sender_id", ID, primary_key=True),
    Column("mark", String(64), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("target", Text, nullable=False),
    Column("until_ms", BigInteger, nullable=False, index=True),
)
"""Signed messages that came, and which pieces of them were taken (`poc_server.store.bridge.heard`)."""

refused_news = Table(
    "refused_news",
    metadata,
    Column("id", ID, primary_key=True),
    Column("sender_id", ID, nullable=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("code", CODE, nullable=False),
    Column("faults", JSON, nullable=False),
    Column("body", Text, nullable=False),
)
"""What came in and could not be taken, for the one who maintains the mapping. The newest are kept."""
