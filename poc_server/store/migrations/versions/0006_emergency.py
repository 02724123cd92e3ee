"""Alerts, emergency calls, broadcasts with their receipts, and saved plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=64), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "alert",
        _id("id"),
        _id("agency_id"),
        _id("user_id"),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("raised_ms", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index("ix_alert_open", "alert", ["open"], unique=False)
    op.create_index("ix_alert_agency_id_raised_ms", "alert", ["agency_id", "raised_ms"], unique=False)
    op.create_table(
        "emergency_call",
        _id("id"),
        _id("agency_id"),
        _id("user_id"),
        _id("group_id"),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_call")),
    )
    op.create_index("ix_emergency_call_open", "emergency_call", ["open"], unique=False)
    op.create_table(
        "broadcast",
        _id("id"),
        _id("agency_id"),
        _id("user_id"),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
    )
    op.create_index("ix_broadcast_open", "broadcast", ["open"], unique=False)
    op.create_index("ix_broadcast_agency_id_started_ms", "broadcast", ["agency_id", "started_ms"], unique=False)
    op.create_table(
        "receipt",
        _id("broadcast_id"),
        _id("user_id"),
        sa.Column("state", sa.String(length=32), nullable=True),
        sa.Column("sent_ms", sa.BigInteger(), nullable=True),
        sa.Column("delivered_ms", sa.BigInteger(), nullable=True),
        sa.Column("heard_ms", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_receipt_broadcast_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "user_id", name=op.f("pk_receipt")),
    )
    op.create_table(
        "plan",
        _id("id"),
        _id("agency_id"),
        _id("unit_id"),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index("ix_plan_agency_id", "plan", ["agency_id"], unique=False)
