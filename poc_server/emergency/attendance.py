"""Are those there who have taken an alert, and who raised it?

Nobody else can close it, so it must not stay with one who is gone; and who speaks to one in danger must know whether
his phone can hear it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from groups.emergency.alert import Unattended
from groups.vocabulary import UserId
from poc_server.emergency.live_alert import LiveAlert

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk

OFFICER_GONE_MS = 2_000
"""A phone that changes its network is back sooner."""
LOOK_S = 0.5
"""A desk goes in many ways (link lost, signed out, right lost, node dead): it is looked for, not waited for."""


class Attendance:
    """Looks for those who have taken an alert, while there is one; ``left`` is told how long one has been gone.

    Where an officer's phone is gone, or back, ``differs`` is told.
    """

    def __init__(
        self,
        desk: Desk,
        alerts: Mapping[str, LiveAlert],
        left: Callable[[LiveAlert, Unattended], Coroutine[Any, Any, None]],
        differs: Callable[[LiveAlert], None],
    ) -> None:
        self._desk = desk
        self._alerts = alerts
        self._left = left
        self._differs = differs
        self._officers_gone: dict[UserId, int] = {}
        self._gone: dict[UserId, int] = {}
        self._looking = False

    def look_soon(self) -> None:
        """There may be something to look at."""
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        now = self._desk.field.fabric.now()
        before, self._gone = self._gone, {}
        self._look_at_officers(now)
        for live in tuple(self._alerts.values()):
            user = live.record.claimed_by
            if user is None or self._there(user, live):
                continue
            since = self._gone[user] = before.get(user, now)
            self._desk.spawn(self._left(live, Unattended(user, since)))
        self._looking = False
        if self._alerts:
            self.look_soon()

    def _look_at_officers(self, now: int) -> None:
        before, self._officers_gone = self._officers_gone, {}
        for live in tuple(self._alerts.values()):
            user, gone_at = live.user.id, None
            if not any(each.connection is not None for each in self._desk.field.phones.of(user)):
                since = self._officers_gone[user] = before.get(user, now)
                gone_at = since if now - since >= OFFICER_GONE_MS else None
            if gone_at != live.gone_at:
                live.gone_at = gone_at
                self._differs(live)

    def _there(self, user: UserId, live: LiveAlert) -> bool:
        phones = self._desk.field.phones.of(user)
        return any(each.connection is not None and self._desk.may_claim(each.user, live.user) for each in phones)
