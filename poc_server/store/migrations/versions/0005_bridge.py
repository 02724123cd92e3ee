"""The bridge: incidents, their events, deliveries to receivers, polling."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("cell", sa.String(length=128), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("attention", sa.Integer(), nullable=False),
        sa.Column("lamp", sa.String(length=32), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("agency_id", "code", name=op.f("pk_incident")),
        sa.UniqueConstraint("group_id", name=op.f("uq_incident_group_id")),
    )
    op.create_index(
        "ix_incident_agency_id_address_updated_ms", "incident", ["agency_id", "address", "updated_ms"], unique=False
    )
    op.create_index(op.f("ix_incident_due_ms"), "incident", ["due_ms"], unique=False)
    op.create_table(
        "incident_link",
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "code", "group_id", name=op.f("pk_incident_link")),
    )
    op.create_index(op.f("ix_incident_link_group_id"), "incident_link", ["group_id"], unique=False)
    op.create_table(
        "incident_event",
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=256), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recording", sa.String(length=64), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", "code", "sequence", name=op.f("pk_incident_event")),
        sa.UniqueConstraint("position", name=op.f("uq_incident_event_position")),
    )
    op.create_index("ix_incident_event_agency_id_id", "incident_event", ["agency_id", "id"], unique=True)
    op.create_table(
        "outbox_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_head")),
    )
    op.create_table(
        "receiver",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("probe_ms", sa.BigInteger(), nullable=True),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receiver")),
    )
    op.create_table(
        "delivery",
        sa.Column("receiver_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("receiver_id", "agency_id", "code", "sequence", name=op.f("pk_delivery")),
    )
    op.create_index(
        "ix_delivery_receiver_id_status_next_ms", "delivery", ["receiver_id", "status", "next_ms"], unique=False
    )
    op.create_table(
        "poll",
        sa.Column("sender_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sender_id", name=op.f("pk_poll")),
    )
    op.create_table(
        "refused_news",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("sender_id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_news")),
    )
    op.create_index(op.f("ix_refused_news_at_ms"), "refused_news", ["at_ms"], unique=False)
    op.bulk_insert(sa.table("outbox_head", sa.column("id"), sa.column("position")), [{"id": 1, "position": 0}])
