"""An urgent case takes the phones with it, but never that of one who talks, waits or is in an emergency."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.speech import recording
from signaling.messages import AlertClaim, AlertResolve, IncidentChanged, Sos, Switched
from tests.emergency.cast import Cast
from tests.gateway.bridged import SETUP, Bridged, until
from tests.support.handsets import handsets

pytestmark = pytest.mark.wire


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("switching") / "links"


@pytest.fixture(scope="module")
def both(links: Path) -> Iterator[Bridged]:
    with Bridged(links.parent, SETUP, ("--no-bots", "--links", str(links))) as running:
        until("its people have their links", links.exists)
        yield running


async def test_who_talks_waits_or_is_in_danger_stays_where_he_is(both: Bridged, links: Path) -> None:
    recording("zh-report")
    async with handsets(both.as_city(), links) as street:
        cast = Cast(both.as_city(), street)
        talker, waiting, endangered, free, dispatcher = await cast.phones(
            "BJ-001", "BJ-002", "DH-001", "DH-002", "PQ-001"
        )
        river, lake = cast.group(talker, "滨江巡查组"), cast.group(endangered, "东湖巡查组")
        for phone, group in ((talker, river), (waiting, river), (endangered, lake), (free, lake)):
            await phone.select(group)
        press = talker.press_key(river)
        assert await press.settled
        waiting.press_key(river)
        sos = Sos(id="s1", alert="switching", pressed_ms=time.time_ns() // 1_000_000)
        await endangered.request(sos)

        people = [talker, waiting, endangered, free]
        parties = [{"kind": "user", "id": phone.user} for phone in people]
        told = {"title": "路面塌陷", "urgent": True, "parties": parties}
        status, answer = both.poc("PUT", "/incidents/E0403202607150099", told)
        assert status == 200
        for phone in people:
            assert (await phone.told(IncidentChanged)).incident.code == "E0403202607150099"
        # Whoever is in a group with an emergency is in it, too: the free one stands in that of the endangered.
        assert [phone.user for phone in people if any(isinstance(m, Switched) for m in phone.inbox)] == []

        await dispatcher.request(AlertClaim(id="c1", alert="switching"))
        await dispatcher.request(AlertResolve(id="c2", alert="switching", outcome="false_alarm"))
        assert both.poc("PUT", "/incidents/E0403202607150100", told)[0] == 200
        for phone in (endangered, free):
            switched = await phone.told(Switched)
            assert (switched.incident, switched.back) == ("E0403202607150100", lake)
        for phone in (talker, waiting):
            await phone.told(IncidentChanged)
            assert not any(isinstance(m, Switched) for m in phone.inbox)
        assert answer["incident"]["attention"] == 2
