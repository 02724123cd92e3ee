"""Signed messages are taken once; of several nodes one polls an endpoint."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heard",
        sa.Column("sender_id", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sender_id", "mark", "part", name=op.f("pk_heard")),
    )
    op.create_index(op.f("ix_heard_until_ms"), "heard", ["until_ms"])
    op.add_column("poll", sa.Column("holder", sa.String(length=64), server_default="", nullable=False))
    op.add_column("poll", sa.Column("held_until_ms", sa.BigInteger(), server_default="0", nullable=False))
