"""Who has a surname that is read otherwise than alone (单 is Shan, not dan) is found by both initials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

READINGS = {
    "s": "单單召折", "q": "仇覃", "z": "曾查翟祭藏", "x": "解郇", "o": "区區", "y": "乐樂么", "n": "佴乜粘",
    "c": "种重", "b": "秘", "p": "繁番", "g": "句炅", "w": "隗", "k": "阚闞",
}  # fmt: skip
LONGEST = 63
"""Of initials that fit twice into their column."""


def upgrade() -> None:
    users = sa.table("users", sa.column("name", sa.String), sa.column("initials", sa.String))
    first, old = sa.func.substr(users.c.name, 1, 1), users.c.initials
    for letter, surnames in READINGS.items():
        read = sa.literal(letter).concat(sa.func.substr(old, 2)).concat(sa.literal(" ")).concat(old)
        which = first.in_(list(surnames)) & (sa.func.substr(old, 1, 1) != letter)
        op.execute(sa.update(users).where(which, sa.func.length(old) <= LONGEST).values(initials=read))
