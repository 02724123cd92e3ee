"""Lists of people go by pinyin, in SQL."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from poc_server.store.city.pinyin import sorted_as

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

AT_ONCE = 1_000
SORTED = sa.String(256).with_variant(sa.String(256, collation="C"), "postgresql")


def upgrade() -> None:
    # Empty for who is made by a node of the version before: he comes first until he is changed.
    op.add_column("users", sa.Column("sorted_as", SORTED, server_default="", nullable=False))
    users = sa.table("users", sa.column("id", sa.String), sa.column("name", sa.String), sa.column("sorted_as", sa.Text))
    connection = op.get_bind()
    rows = connection.execute(sa.select(users.c.id, users.c.name)).all()
    fill = sa.update(users).where(users.c.id == sa.bindparam("of")).values(sorted_as=sa.bindparam("key"))
    for start in range(0, len(rows), AT_ONCE):
        part = [{"of": row.id, "key": sorted_as(row.name)} for row in rows[start : start + AT_ONCE]]
        connection.execute(fill, part)
    op.create_index("ix_users_agency_id_sorted_as", "users", ["agency_id", "sorted_as", "id"])
