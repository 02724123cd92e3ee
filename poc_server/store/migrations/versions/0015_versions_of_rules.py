"""Rules of retention get a version: two who edit one do not overwrite each other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    version = sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("retention_rule", version)
