"""Where people are: the newest in memory, the track in SQL, nothing invented."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from groups.vocabulary import AgencyId, UserId
from poc_server.store import Store, retention
from poc_server.store.ids import now_ms
from poc_server.store.places import HOUR_MS, Battery, Place, Places, Position, ServingCell, Source, load_newest, track
from poc_server.store.settings import PlaceSettings, RetentionSettings

pytestmark = pytest.mark.wire


def place(at_ms: int, longitude: float = 114.3, user: str = "us-1") -> Place:
    return Place(
        user=UserId(user),
        agency=AgencyId("ag"),
        at_ms=at_ms,
        received_ms=at_ms + 5,
        position=Position(longitude=longitude, latitude=30.6, accuracy_m=8, at_ms=at_ms),
        cell=ServingCell(at_ms=at_ms),
        battery=Battery(percent=80, at_ms=at_ms),
    )


async def test_the_newest_place_wins_whatever_order_reports_come_in(store: Store) -> None:
    now = now_ms()
    told: list[Place] = []
    store.places.subscribe(told.append)
    for at in (now - 30_000, now, now - 10_000, now):
        store.places.put(place(at))
    assert store.places.of(UserId("us-1")) == place(now)
    assert [each.at_ms for each in told] == [now - 30_000, now]
    await store.journal.drain()
    async with store.reading() as connection:
        assert [p.at_ms for p in await track(connection, UserId("us-1"), 0, now + 1, 10)] == [
            now - 30_000,
            now - 10_000,
            now,
        ]
        assert [each async for each in load_newest(connection, 0)] == [place(now)]


async def test_the_last_place_is_told_for_its_time_and_then_let_go(store: Store) -> None:
    now = 1_800_000_000_000
    places = Places(store.journal, PlaceSettings(told_hours=2), lambda: now)
    user, at = UserId("us-1"), now
    places.put(place(at))
    places.put(Place(user=user, agency=AgencyId("ag"), at_ms=at + HOUR_MS, received_ms=at + HOUR_MS))
    now = at + 2 * HOUR_MS
    assert places.of(user) == places.all()[0]
    assert places.all()[0].position == place(at).position, "what the newer one does not say is as it was"
    now += 1
    assert [each.position for each in places.all()] == [None]
    now = at + 3 * HOUR_MS + 1
    assert (places.of(user), places.all()) == (None, [])
    places.forget_old()
    now = at
    assert places.of(user) is None
    places.learn(place(at - 2 * HOUR_MS - 1))
    assert places.all() == []


async def test_a_phone_that_goes_from_node_to_node_reports_no_more_often_than_one_that_stays(store: Store) -> None:
    now = 1_800_000_000_000
    places = Places(store.journal, PlaceSettings(interval_s=20), lambda: now)
    places.reported(place(now).user, now)  # to the node it was on
    assert not places.report(place(now + 9_999))
    told: list[tuple[str, int]] = []
    places.tell_reported = lambda user, at_ms: told.append((user, at_ms))
    assert places.report(place(now + 10_000))
    assert told == [(place(now).user, now + 10_000)]
    places.reported(place(now).user, now + 5_000)
    assert not places.report(place(now + 19_999)), "nor is it told late that it reported before"
    places.learn(place(now + 19_999))  # what an SOS says of where it is, on any node, is no report
    assert places.report(place(now + 20_000))


async def test_tracks_end_when_their_time_is_over(store: Store) -> None:
    now = now_ms()
    for at in (now - 31 * retention.DAY_MS, now - 29 * retention.DAY_MS):
        store.places.put(place(at))
    await store.journal.drain()
    pruned = await retention.prune(store.database, RetentionSettings(), now)
    assert (pruned.places, pruned.audit) == (1, 0)


@pytest.mark.parametrize(
    "cell", [{"id": "460-00-1-1"}, {"source": "shell"}, {"source": "none", "id": "460-00-1-1"}, {"source": "guess"}]
)
def test_a_cell_without_a_source_is_refused(cell: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ServingCell.model_validate({"at_ms": 1, **cell})
    assert ServingCell(source=Source.SHELL, id="460-00-1-1", at_ms=1).id == "460-00-1-1"


@pytest.mark.parametrize("longitude", [180.000001, -181, float("nan"), float("inf")])
def test_a_place_off_the_earth_is_refused(longitude: float) -> None:
    with pytest.raises(ValidationError):
        place(1, longitude)
