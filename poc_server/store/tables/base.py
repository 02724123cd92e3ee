"""What all tables share. Times are ms since the epoch (UTC)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, String, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)
NAME = String(128)
SORTED = String(256).with_variant(String(256, collation="C"), "postgresql")
"""What lists go by: in the same order on both databases and in memory, whatever language the database speaks."""
WORD = String(32)


def version() -> Column[int]:
    """The directory version of the row's last change."""
    return Column("version", BigInteger, nullable=False, server_default=text("0"))


def agency_of() -> Column[str]:
    """Whose row it is."""
    return Column("agency_id", ID, ForeignKey("agency.id"), nullable=False)


def agency_key() -> Column[str]:
    """Whose row it is, as part of the key."""
    return Column("agency_id", ID, ForeignKey("agency.id"), primary_key=True)
