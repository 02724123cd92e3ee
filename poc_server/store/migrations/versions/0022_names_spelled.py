"""People are found by the pinyin of their names written out, and not by its initials alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from poc_server.store.city.pinyin import spelled

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

AT_ONCE = 1_000


def upgrade() -> None:
    op.add_column("users", sa.Column("spelled", sa.Text(), server_default="", nullable=False))
    users = sa.table("users", sa.column("id", sa.String), sa.column("name", sa.String), sa.column("spelled", sa.Text))
    connection = op.get_bind()
    rows = connection.execute(sa.select(users.c.id, users.c.name)).all()
    fill = sa.update(users).where(users.c.id == sa.bindparam("of")).values(spelled=sa.bindparam("ways"))
    for start in range(0, len(rows), AT_ONCE):
        connection.execute(fill, [{"of": row.id, "ways": spelled(row.name)} for row in rows[start : start + AT_ONCE]])
