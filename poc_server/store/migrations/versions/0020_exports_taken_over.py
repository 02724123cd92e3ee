"""An export whose node ended is made by another: its order, and a fence against the one that had it before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("export", sa.Column("fence", sa.Integer(), server_default="0", nullable=False))
    op.add_column("export", sa.Column("wish", sa.Text(), nullable=True))
