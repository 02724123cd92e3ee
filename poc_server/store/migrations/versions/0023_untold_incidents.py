"""What phones have yet to learn of incidents, for another node to tell when the first one ended before it did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incident_untold",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agency_id", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("gone", sa.JSON(), nullable=False),
        sa.Column("forward", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("version", "agency_id", "code", name=op.f("pk_incident_untold")),
    )
