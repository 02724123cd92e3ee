"""When a group went that is gone: who had left it before does not hear it again by that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "group_end",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_group_end")),
    )
    # Of those that went already no more is known than when the last were in them.
    op.execute(
        "INSERT INTO group_end (group_id, at_ms)"
        " SELECT group_id, max(until_ms) FROM membership_period"
        " WHERE until_ms IS NOT NULL AND group_id NOT IN (SELECT id FROM talk_group)"
        " GROUP BY group_id"
    )
