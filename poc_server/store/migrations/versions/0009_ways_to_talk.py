"""Written messages, shift handovers, and how the calls of a group end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=64), nullable=nullable)


def _word(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=32), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _thread() -> sa.Column[str]:
    return sa.Column("thread", sa.String(length=140), nullable=False)


def upgrade() -> None:
    op.add_column("talk_group", sa.Column("call_rules", sa.JSON(), nullable=True))
    op.create_table(
        "text_message",
        _id("id"),
        _thread(),
        _number("number"),
        _id("agency_id"),
        _id("by_id"),
        _id("group_id", nullable=True),
        _id("to_id", nullable=True),
        _id("key"),
        _word("kind"),
        _word("status", nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        _number("at_ms"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_message")),
        sa.UniqueConstraint("by_id", "key", name=op.f("uq_text_message_by_id_key")),
        sa.UniqueConstraint("thread", "number", name=op.f("uq_text_message_thread_number")),
    )
    op.create_index("ix_text_message_group_id_number", "text_message", ["group_id", "number"], unique=False)
    op.create_index("ix_text_message_to_id_number", "text_message", ["to_id", "number"], unique=False)
    op.create_index("ix_text_message_at_ms", "text_message", ["at_ms"], unique=False)
    op.create_table(
        "text_thread",
        _thread(),
        _number("number"),
        sa.PrimaryKeyConstraint("thread", name=op.f("pk_text_thread")),
    )
    op.create_table(
        "text_read",
        _id("user_id"),
        _thread(),
        _number("number"),
        sa.PrimaryKeyConstraint("user_id", "thread", name=op.f("pk_text_read")),
    )
    op.create_table(
        "handover",
        _id("id"),
        _id("agency_id"),
        _id("by_id"),
        _id("to_id"),
        _word("state"),
        _number("offered_ms"),
        _number("decided_ms", nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index("ix_handover_state", "handover", ["state"], unique=False)
