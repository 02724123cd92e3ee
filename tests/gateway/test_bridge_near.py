"""Who comes near the place of an incident joins it, whichever node took it and whatever its clock does."""

from __future__ import annotations

import asyncio

import pytest

from gateway.incidents.effects import EventType
from gateway.incidents.lifecycle import Happened
from groups.vocabulary import AgencyId, IncidentCode, UserId
from poc_server.bridge import following
from poc_server.bridge.bridge import Bridge
from poc_server.bridge.setup import Setup
from poc_server.store import SYSTEM, Store
from poc_server.store.ids import now_ms
from poc_server.store.places import Place, Position
from tests.fixtures.bridge import WAITING, Bridged, of
from tests.fixtures.people import Clock

pytestmark = pytest.mark.wire
HOUR = 3_600_000
HERE = {"lon": 114.3, "lat": 30.6, "datum": "WGS-84"}


def stand(store: Store, agency: AgencyId, user: UserId, lat: float) -> None:
    now = now_ms()
    position = Position(at_ms=now, longitude=114.3, latitude=lat)
    store.places.put(Place(user=user, agency=agency, at_ms=now, received_ms=now, position=position))


async def test_who_comes_near_joins_and_who_walks_off_a_little_stays(bridged: Bridged) -> None:
    town, store = bridged.town, bridged.store
    near, far, helper = [await town.person(name=name) for name in ("近", "远", "帮手")]
    for user, lat in ((near, 30.601), (far, 30.7), (helper, 30.602)):
        stand(store, town.agency, user, lat)
    await bridged.tell("P1", point=HERE, parties=[{"kind": "place", "radius_m": 500}])
    await bridged.members("P1", {near, helper})
    tap = Happened("P1/tap", EventType.ON_THE_WAY, now_ms(), helper)
    await bridged.bridge.tie(town.agency, IncidentCode("P1"), tap, SYSTEM)
    stand(store, town.agency, near, 30.608)  # 890 m: over the line, and not twice as far
    stand(store, town.agency, helper, 30.65)  # far off, but he said that he deals with it
    stand(store, town.agency, far, 30.6)
    bridged.bridge._following._places_due = 0  # looks now, instead of at the next round
    await bridged.members("P1", {near, helper, far})
    stand(store, town.agency, near, 30.65)
    bridged.bridge._following._places_due = 0  # looks now, instead of at the next round
    await bridged.members("P1", {helper, far})
    # Dispatched anew: who was near for the former dispatch is not for this one.
    await bridged.tell("P1", parties=[{"kind": "place", "radius_m": 400}])
    await bridged.members("P1", {far})


async def test_who_comes_near_is_found_though_the_node_that_took_the_case_is_gone(
    bridged: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, store = bridged.town, bridged.store
    near = await town.person(name="近")
    monkeypatch.setattr(following, "ALL_EVERY_MS", 200)
    other = Bridge(Setup(), store, bridged.told, batch=32, waiting_limit=WAITING, tick_s=0.1)
    other.start()
    other.open.set()
    await bridged.tell("P2", point=HERE, parties=[{"kind": "place", "radius_m": 500}])
    await bridged.bridge.aclose()
    stand(store, town.agency, near, 30.601)
    await bridged.members("P2", {near})
    await other.aclose()


@pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
async def test_a_case_goes_by_the_clock_of_all_nodes(bridged: Bridged, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, officer = Clock(now_ms() - HOUR), await bridged.town.person()
    monkeypatch.setattr(bridged.store, "clock", clock)
    await bridged.tell("K1", title="案", parties=of(officer))
    events = await bridged.bridge.events(bridged.town.agency, IncidentCode("K1"), 0, 10)
    assert {event.at for event in events} == {clock()}


@pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
async def test_who_comes_near_joins_also_when_the_clock_was_set_back(
    bridged: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, officer = Clock(), await bridged.town.person()
    monkeypatch.setattr(bridged.store, "clock", clock)
    stand(bridged.store, bridged.town.agency, officer, 30.7)
    await bridged.tell("S1", point=HERE, parties=[{"kind": "place", "radius_m": 500}])
    async with asyncio.timeout(30):
        while bridged.bridge._following._places_due == 0:  # noqa: ASYNC110 - its own round is what is waited for
            await asyncio.sleep(0.02)
    clock.forward(-3_600)
    stand(bridged.store, bridged.town.agency, officer, 30.601)
    await bridged.members("S1", {officer})
    assert bridged.bridge._following._places_due <= clock() + following.PLACES_EVERY_MS
