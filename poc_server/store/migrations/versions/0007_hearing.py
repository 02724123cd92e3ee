"""Who heard a call whose group is gone with it, the unit a burst was said in, and who was away when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("burst", sa.Column("unit_id", sa.String(length=64), nullable=True))
    op.create_table(
        "burst_hearer",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_burst_hearer")),
    )
    op.create_index("ix_burst_hearer_key", "burst_hearer", ["key"], unique=False)
    op.create_table(
        "absence",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("away_from_ms", sa.BigInteger(), nullable=True),
        sa.Column("away_until_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_absence")),
    )
