"""The people of an agency as sheets name them: by id, account or badge."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, UserId
from poc_server.store import tables as t
from poc_server.store.city.people import account_key
from poc_server.store.sheets.plan import BadCell
from poc_server.store.sheets.text import Line
from poc_server.store.sql.statements import each_row


class KnownPeople:
    """Everybody of one agency, and the accounts that other agencies hold."""

    def __init__(self, agency: AgencyId) -> None:
        self._agency = agency
        self.rows: dict[UserId, Row[Any]] = {}
        self.accounts: dict[str, UserId] = {}
        self._badges: dict[str, list[UserId]] = {}

    async def load(self, connection: AsyncConnection) -> None:
        """Read them by pinyin, in slices."""
        async for row in each_row(connection, select(t.user).order_by(t.user.c.sorted_as, t.user.c.id)):
            if row.account is not None:
                self.accounts[row.account] = UserId(row.id)
            if row.agency_id == self._agency:
                self.rows[UserId(row.id)] = row
                if row.badge:
                    self._badges.setdefault(row.badge, []).append(UserId(row.id))

    def find(self, line: Line) -> UserId | None:
        """Who a line is about: by id, else account, else badge; None: nobody yet. Raises `BadCell`."""
        if line["id"]:
            user = UserId(line["id"])
            if user not in self.rows:
                raise BadCell("id", "unknown", user)
            return user
        if line["account"]:
            user = self.accounts.get(account_key(line["account"]), UserId(""))
            if user and user not in self.rows:
                raise BadCell("account", "taken", line["account"])
            return user or None
        if not line["badge"]:
            raise BadCell("account", "missing")
        found = self._badges.get(line["badge"], [])
        if len(found) > 1:
            raise BadCell("badge", "ambiguous", line["badge"])
        return found[0] if found else None

    def must_find(self, line: Line) -> UserId:
        """As `find`, but somebody who is there."""
        user = self.find(line)
        if user is None:
            raise BadCell("account" if line["account"] else "badge", "unknown", line["account"] or line["badge"])
        return user
