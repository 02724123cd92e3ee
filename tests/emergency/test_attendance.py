"""Whether who raised an alert can still be reached is known to those who lead it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from groups.emergency.alert import AlertOptions, Unattended, raised
from groups.model import User
from groups.vocabulary import AgencyId, UnitId, UserId
from poc_server.emergency.attendance import OFFICER_GONE_MS, Attendance
from poc_server.emergency.live_alert import LiveAlert

OFFICER = User(UserId("officer"), AgencyId("ag"), UnitId("un"), "王强", frozenset())
NOW = 1_700_000_000_000


async def never(_live: LiveAlert, _given: Unattended) -> None:
    raise AssertionError("nobody had taken it")


async def test_an_officer_whose_battery_died_is_told_to_be_gone_and_one_who_changed_his_network_is_not() -> None:
    clock, phone = SimpleNamespace(now=NOW), SimpleNamespace(connection=object())
    field = SimpleNamespace(
        fabric=SimpleNamespace(now=lambda: clock.now), phones=SimpleNamespace(of=lambda _user: [phone])
    )
    desk: Any = SimpleNamespace(field=field)
    live = LiveAlert(raised("al", OFFICER.id, None, NOW, NOW, AlertOptions()), OFFICER, None, None, None, covert=False)
    told: list[int | None] = []
    attendance = Attendance(desk, {"al": live}, never, lambda each: told.append(each.gone_at))

    def look(after_ms: int, *, connected: bool) -> list[int | None]:
        clock.now += after_ms
        phone.connection = object() if connected else None
        attendance._look()
        found = told.copy()
        told.clear()
        return found

    assert look(500, connected=True) == []
    assert look(500, connected=False) == []
    assert look(OFFICER_GONE_MS - 1, connected=False) == []
    assert look(500, connected=True) == [], "another network"
    assert look(500, connected=False) == []
    gone = clock.now
    assert look(OFFICER_GONE_MS, connected=False) == [gone], "told once"
    assert look(500, connected=False) == []
    assert look(500, connected=True) == [None], "he is back"
