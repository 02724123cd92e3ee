"""Whose a group was that is gone: what was taken while it was there belongs there still."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("group_end", sa.Column("agency_id", sa.String(length=64), nullable=True))
    op.add_column("group_end", sa.Column("unit_id", sa.String(length=64), nullable=True))
