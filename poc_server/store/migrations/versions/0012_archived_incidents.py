"""Whose an incident is, known also when its group has left the directory; frozen ones are looked at for archiving."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incident", sa.Column("unit_id", sa.String(length=64), nullable=True))
    op.execute(
        "UPDATE incident SET unit_id ="
        " (SELECT talk_group.unit_id FROM talk_group WHERE talk_group.id = incident.group_id)"
    )
    op.execute("UPDATE incident SET due_ms = updated_ms WHERE address = 'frozen'")
