"""Recordings and their evidence: bursts with files, the chain and its heads, who was a member when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQLITE_TRIGGERS = (
    """CREATE TRIGGER evidence_no_delete BEFORE DELETE ON evidence
    BEGIN SELECT RAISE(ABORT, 'the evidence chain is append-only'); END""",
    """CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence
    WHEN NEW.content IS NOT NULL OR OLD.content IS NULL OR OLD.hash <> NEW.hash OR OLD.previous <> NEW.previous
        OR OLD.position <> NEW.position OR OLD.content_hash <> NEW.content_hash
    BEGIN SELECT RAISE(ABORT, 'the evidence chain is append-only'); END""",
)
POSTGRES_TRIGGERS = (
    """CREATE FUNCTION evidence_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND NEW.content IS NULL AND OLD.content IS NOT NULL AND OLD.hash = NEW.hash
            AND OLD.previous = NEW.previous AND OLD.position = NEW.position AND OLD.content_hash = NEW.content_hash THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'the evidence chain is append-only';
    END $$""",
    "CREATE TRIGGER evidence_guard BEFORE UPDATE OR DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION evidence_guard()",
    "CREATE TRIGGER evidence_guard_all BEFORE TRUNCATE ON evidence EXECUTE FUNCTION evidence_guard()",
)


def upgrade() -> None:
    _bursts()
    _evidence()
    op.create_table(
        "membership_period",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("group_id", "user_id", "from_ms", name=op.f("pk_membership_period")),
    )
    op.create_index("ix_membership_period_user_id", "membership_period", ["user_id"], unique=False)
    op.execute("INSERT INTO membership_period (group_id, user_id, from_ms) SELECT group_id, user_id, 0 FROM membership")
    sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRES_TRIGGERS:
        op.execute(statement)


def _bursts() -> None:
    # Nothing wrote this table before there were recordings.
    op.drop_table("burst")
    op.create_table(
        "burst",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=True),
        sa.Column("user_id", sa.String(length=64), nullable=True),
        sa.Column("user_name", sa.String(length=128), nullable=False),
        sa.Column("device_id", sa.String(length=64), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("incident", sa.String(length=128), nullable=True),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_reason", sa.String(length=32), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("packets", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("unrecorded", sa.Integer(), nullable=False),
        sa.Column("filled_ms", sa.BigInteger(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("place", sa.JSON(), nullable=True),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.Column("kept_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "id", "from_ms", name=op.f("pk_burst")),
        sa.UniqueConstraint("key", name=op.f("uq_burst_key")),
    )
    op.create_index("ix_burst_started_ms", "burst", ["started_ms"], unique=False)
    op.create_index("ix_burst_group_id_started_ms", "burst", ["group_id", "started_ms"], unique=False)
    op.create_index("ix_burst_user_id_started_ms", "burst", ["user_id", "started_ms"], unique=False)
    op.create_index("ix_burst_incident_started_ms", "burst", ["incident", "started_ms"], unique=False)
    op.create_index("ix_burst_call_id", "burst", ["call_id"], unique=False)


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("group_id", "day", "position", name=op.f("pk_evidence")),
        sa.UniqueConstraint("subject", name=op.f("uq_evidence_subject")),
    )
    op.create_table(
        "evidence_chain",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=32), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_evidence_chain")),
    )
    op.create_table(
        "evidence_day",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=32), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signed_entries", sa.Integer(), nullable=False),
        sa.Column("signed_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("signed_ms", sa.BigInteger(), nullable=True),
        sa.Column("signed_by", sa.String(length=32), nullable=True),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=True),
        sa.PrimaryKeyConstraint("group_id", "day", name=op.f("pk_evidence_day")),
    )
    op.create_index("ix_evidence_day_day", "evidence_day", ["day"], unique=False)
