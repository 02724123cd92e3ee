"""Folders are known by a mark: that of the recordings, and each journal's, so that a copy is not taken for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "folder_mark",
        sa.Column("folder", sa.String(length=32), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("folder", name=op.f("pk_folder_mark")),
    )
    op.add_column("journal_position", sa.Column("mark", sa.String(length=64), nullable=True))
