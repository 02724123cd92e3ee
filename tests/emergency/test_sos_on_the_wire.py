"""SOS over a talker: heard and seen at once, claimed by one, closed; twice is once; wherever and however it comes."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from groups.vocabulary import Refusal
from loadtest.phone import PhoneFailed
from signaling.messages import (
    Alert,
    AlertAcknowledge,
    AlertClaim,
    AlertResolve,
    BroughtIn,
    BroughtOut,
    EmergencyState,
    FloorIdle,
    FloorRevoke,
    FloorTaken,
    Slot,
    Sos,
    SosCancel,
    Whereabouts,
)
from tests.emergency.cast import Cast
from tests.support.handsets import Handset
from tests.talk.test_calls_on_the_wire import until_recorded

pytestmark = pytest.mark.wire
GROUP = "滨江巡查组"
HEARD_MS = 300


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def pressed(alert: str, **more: object) -> Sos:
    return Sos(id=f"sos-{alert}-{time.monotonic_ns()}", alert=alert, pressed_ms=now_ms(), **more)


async def close(dispatcher: Handset, alert: str) -> None:
    await dispatcher.request(AlertClaim(id="z1", alert=alert))
    await dispatcher.request(AlertResolve(id="z2", alert=alert, outcome="false_alarm"))


async def test_a_dispatcher_hears_and_sees_an_sos_over_a_talker(cast: Cast) -> None:
    other, dispatcher = await cast.phones("BJ-002", "PQ-001")
    enrolled = cast.enrolled("BJ-001", "手机一")
    officer = await cast.street.connect(enrolled)
    group = cast.group(officer, GROUP)
    await officer.select(group)
    await other.select(group)
    await dispatcher.select(cast.group(dispatcher, "指挥调度"))
    press = other.press_key(group)
    await press.settled
    assert press.burst is not None

    pressed_ms = now_ms()
    place = Whereabouts(longitude=114.31, latitude=30.59, accuracy_m=8.0, at_ms=pressed_ms - 5_000)
    began = time.monotonic()
    officer.link.send(pressed("a1", group=group, place=place, battery=41))
    await officer.say(group, 5)
    await dispatcher.until_packets(1)
    took = (time.monotonic() - began) * 1000
    revoked = await other.told(FloorRevoke)
    assert revoked.grace_ms == 0
    while (slot := await dispatcher.told(Slot, group=group)).by.id != officer.user:
        pass
    assert slot.tier == 2
    alert = (await dispatcher.told(Alert, queue=True)).alert
    assert (alert.by.id, alert.group, alert.battery, alert.place) == (officer.user, group, 41, place)
    brought = await dispatcher.told(BroughtIn, call="a1")
    assert (brought.group.id, brought.why, brought.may_talk) == (group, "alert", True)
    assert (await other.told(Alert)).queue is False
    assert (await other.told(EmergencyState, group=group)).tier == 2
    print(f"sos: first packet at the dispatcher after {took:.0f} ms, five frames of speech among it")
    # five frames of 40 ms are spoken before anybody looks
    assert took < HEARD_MS + 5 * 40
    await close(dispatcher, "a1")
    await dispatcher.told(BroughtOut, call="a1")
    assert (await other.told(EmergencyState, group=group, tier=0)).by is None

    # What he said is kept with all that stood when he said it: the tier, his device, where he was and how old that was.
    said = f"/api/v1/recordings?group={group}&tier=2&from_ms={pressed_ms}"
    row = await until_recorded(cast.city, said, officer.identity.token)
    (device,) = cast.city.get(f"/api/v1/devices?user={officer.user}", cast.token("XT-001"))["items"]
    assert (row["talker"]["id"], row["tier"], row["device"]) == (officer.user, 2, device["id"])
    kept = row["place"]
    assert (kept["longitude"], kept["latitude"], kept["accuracy_m"], kept["source"]) == (114.31, 30.59, 8.0, "device")
    assert abs(kept["age_ms"] - (row["started_ms"] - place.at_ms)) < 1_000  # by the server's clock


async def test_exactly_one_claims_and_the_officer_learns_it(cast: Cast) -> None:
    officer, one, two = await cast.phones("BJ-001", "PQ-001", "PQ-002")
    confirmed, _ = await officer.request(pressed("b1"))
    assert (confirmed.state, confirmed.told) == ("raised", 2)
    first, _ = await one.request(AlertClaim(id="c1", alert="b1"))
    second, _ = await two.request(AlertClaim(id="c2", alert="b1"))
    assert (first.yours, second.yours) == (True, False)
    assert second.by.id == one.user
    with pytest.raises(PhoneFailed) as refused:
        await two.request(AlertAcknowledge(id="c3", alert="b1"))
    assert refused.value.code is Refusal.NOT_CLAIMED
    await one.request(AlertAcknowledge(id="c4", alert="b1"))
    while True:
        alert = (await officer.told(Alert)).alert
        if alert.state == "acknowledged":
            break
    assert alert.claimed_by is not None
    assert alert.claimed_by.id == one.user
    await one.request(AlertResolve(id="c5", alert="b1", outcome="resolved", note="已到场"))
    with pytest.raises(PhoneFailed) as over:
        await two.request(AlertClaim(id="c6", alert="b1"))
    assert over.value.code is Refusal.ALERT_OVER


async def test_twice_is_once_on_both_ways_and_in_two_groups(cast: Cast) -> None:
    officer, dispatcher = await cast.phones("BJ-001", "PQ-001")
    body = {"alert": "d1", "pressed_ms": now_ms()}
    answers = [cast.city.post("/api/v1/alerts", body, officer.identity.token) for _ in range(3)]
    assert {a["alert"] for a in answers} == {"d1"}
    again, _ = await officer.request(pressed("d1"))
    other, _ = await officer.request(pressed("d2", group=cast.group(officer, "应急频道")))
    assert (again.alert, other.alert) == ("d1", "d1")
    await dispatcher.told(Alert, queue=True)
    assert not [m for m in dispatcher.inbox if isinstance(m, Alert)]
    with pytest.raises(PhoneFailed) as refused:
        await dispatcher.request(pressed("d1"))
    assert refused.value.code is Refusal.CONFLICT
    await close(dispatcher, "d1")
    late, _ = await officer.request(pressed("d1"))
    assert late.state == "false_alarm"


async def test_two_in_one_group_are_both_heard_a_dispatcher_beside_them_and_neither_cancels_the_other(
    cast: Cast,
) -> None:
    one, two, dispatcher = await cast.phones("BJ-001", "BJ-002", "PQ-001")
    group = cast.group(one, GROUP)
    await one.select(group)
    await two.select(group)
    for phone, alert in ((one, "e1"), (two, "e2")):
        await phone.request(pressed(alert, group=group))
        press = phone.press_key(group)
        await press.settled
        assert press.burst is not None
    slots = {(await dispatcher.told(Slot, group=group)).by.id for _ in range(2)}
    assert slots == {one.user, two.user}
    press = dispatcher.press_key(group)
    await press.settled
    assert press.burst is not None, "he waits behind nobody in danger, and silences nobody"
    assert {(await one.told(Slot, group=group)).by.id for _ in range(2)} == {two.user, dispatcher.user}
    dispatcher.release_key()
    await one.told(Slot, group=None)
    with pytest.raises(PhoneFailed) as refused:
        await one.request(SosCancel(id="e3", alert="e1"))
    assert refused.value.code is Refusal.EMERGENCY_TALKING
    two.release_key()
    await dispatcher.told(Slot, group=None)
    one.release_key()
    await one.told(FloorIdle, group=group)
    await one.request(SosCancel(id="e4", alert="e1"))
    await two.request(SosCancel(id="e5", alert="e2"))


async def test_a_place_that_is_measured_after_the_press_follows_the_alert_and_nobody_rings_for_it(cast: Cast) -> None:
    officer, dispatcher = await cast.phones("XS-001", "PQ-001")
    sos = pressed("p1")
    await officer.request(sos)
    first = (await dispatcher.told(Alert, queue=True)).alert
    place = Whereabouts(longitude=114.32, latitude=30.6, accuracy_m=9.0, at_ms=now_ms())
    known = {"place": place, "battery": 37}
    # Coming again it is nothing new, nor is what is older, or from a clock that is ahead.
    for number, later in enumerate((0, 0, -60_000, 600_000)):
        said = place.model_copy(update={"at_ms": place.at_ms + later})
        await officer.request(sos.model_copy(update={"id": f"p{number}", **known, "place": said}))
    more = (await dispatcher.told(Alert, queue=True)).alert
    assert (more.place, more.battery, more.version) == (place, 37, first.version)
    assert more == first.model_copy(update=known)
    kept = cast.city.get("/api/v1/alerts", dispatcher.identity.token)["alerts"][0]
    assert (kept["record"]["id"], kept["record"]["version"]) == ("p1", first.version + 1)
    assert kept["place"]["at_ms"] == place.at_ms, "whatever is done about it, or not"
    await dispatcher.request(AlertClaim(id="p", alert="p1"))
    claimed = (await dispatcher.told(Alert, queue=True)).alert
    assert (claimed.state, claimed.place) == ("claimed", place), "told no more often"
    await dispatcher.request(AlertResolve(id="q", alert="p1", outcome="false_alarm"))


async def test_one_who_may_not_does_not_cancel_and_who_comes_later_is_told(cast: Cast) -> None:
    officer, other = await cast.phones("BJ-001", "BJ-002")
    confirmed, _ = await officer.request(pressed("f1"))
    assert confirmed.told == 0
    with pytest.raises(PhoneFailed) as refused:
        await other.request(SosCancel(id="f2", alert="f1"))
    assert refused.value.code is Refusal.NOT_ALLOWED
    dispatcher = await cast.phone("PQ-001")
    assert (await dispatcher.told(Alert, queue=True)).alert.id == "f1"
    await dispatcher.told(BroughtIn, call="f1")
    await dispatcher.request(SosCancel(id="f3", alert="f1"))


async def test_a_covert_one_is_known_to_dispatchers_alone(cast: Cast) -> None:
    officer, other, dispatcher = await cast.phones("BJ-001", "BJ-002", "PQ-001")
    group = cast.group(officer, GROUP)
    await officer.select(group)
    await other.select(group)
    confirmed, _ = await officer.request(pressed("g1", group=group, covert=True))
    assert confirmed.group != group
    await dispatcher.told(BroughtIn, call="g1")
    await officer.say(confirmed.group, 5)
    await dispatcher.until_packets(5)
    alert = (await dispatcher.told(Alert, queue=True)).alert
    assert (alert.covert, alert.by.id) == (True, officer.user)
    press = dispatcher.press_key(confirmed.group)  # no voice may come out of his phone
    await press.settled
    assert press.cause is not None
    dispatcher.press = None
    await close(dispatcher, "g1")
    await dispatcher.told(BroughtOut, call="g1")
    assert other.packets() == 0
    assert not [m for m in other.inbox if isinstance(m, Alert | BroughtIn | EmergencyState | FloorTaken)]
    assert not [m for m in officer.inbox if isinstance(m, FloorTaken)]


async def test_an_sos_is_told_while_a_city_is_read_in(cast: Cast) -> None:
    officer, dispatcher = await cast.phones("BJ-001", "PQ-001")
    admin = {"authorization": f"Bearer {cast.token('XT-001')}", "content-type": "text/csv"}
    lines = "".join(f"r{n},R-{n},新人,person,江城市,,1\n" for n in range(5_000))
    people = f"account,badge,name,kind,unit,phone,enabled\n{lines}"
    async with httpx.AsyncClient(base_url=f"{cast.city.url}/api/v1", headers=admin, timeout=60) as office:
        sheet = office.post("/sheets/people?dry_run=false", content=people.encode())
        reading_in = asyncio.create_task(sheet)
        while not (await office.get("/people?q=R-0&limit=1")).json()["items"]:
            assert not reading_in.done(), reading_in.result().text
        confirmed, _ = await officer.request(pressed("read-in"))
        alert = (await dispatcher.told(Alert, queue=True)).alert
        assert not reading_in.done()
        assert (confirmed.state, alert.by.id) == ("raised", officer.user)
        assert (await reading_in).json()["written"] == 5_000
    await close(dispatcher, "read-in")
