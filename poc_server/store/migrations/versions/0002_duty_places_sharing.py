"""Duty shifts, grid cells, places, and groups shared between agencies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "place",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "at_ms", name=op.f("pk_place")),
    )
    op.create_index("ix_place_at_ms", "place", ["at_ms"], unique=False)

    op.create_table(
        "duty_shift",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("starts_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_duty_shift_agency_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_duty_shift_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_shift")),
    )
    op.create_index("ix_duty_shift_agency_id_starts_ms", "duty_shift", ["agency_id", "starts_ms"], unique=False)
    op.create_index("ix_duty_shift_ends_ms", "duty_shift", ["ends_ms"], unique=False)

    op.create_table(
        "duty_member",
        sa.Column("shift_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["duty_shift.id"], name=op.f("fk_duty_member_shift_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_duty_member_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shift_id", "user_id", name=op.f("pk_duty_member")),
    )
    op.create_index("ix_duty_member_user_id", "duty_member", ["user_id"], unique=False)

    op.create_table(
        "grid_cell",
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=15), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=True),
        sa.Column("outline", sa.JSON(), nullable=False),
        sa.Column("datum", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_grid_cell_agency_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_grid_cell_unit_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_grid_cell_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("agency_id", "code", name=op.f("pk_grid_cell")),
    )
    op.create_table(
        "group_share",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("offered_ms", sa.BigInteger(), nullable=False),
        sa.Column("offered_by", sa.String(length=64), nullable=True),
        sa.Column("granted_ms", sa.BigInteger(), nullable=True),
        sa.Column("granted_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_group_share_agency_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["talk_group.id"], name=op.f("fk_group_share_group_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "agency_id", name=op.f("pk_group_share")),
    )
    # Columns are added, never a table made anew: SQLite would drop the old one and, by cascade, every membership.
    op.add_column("membership", sa.Column("by_duty", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("talk_group", sa.Column("monitoring_allowed", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("talk_group", sa.Column("duty_unit_id", sa.String(length=64), nullable=True))
