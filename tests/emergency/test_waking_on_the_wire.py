"""Phones that are not connected are woken: Web Push and a vendor's HTTP interface, at a receiver in another process."""

from __future__ import annotations

import json
import time
import urllib.error
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from py_vapid import Vapid02

from groups.vocabulary import Refusal
from loadtest.phone import PhoneFailed
from signaling.messages import (
    AlertClaim,
    AlertResolve,
    BroadcastEnd,
    BroadcastStart,
    CallStart,
    Recipients,
    Sos,
    SosCancel,
)
from tests.emergency.cast import Cast, city_of_links
from tests.support.city import City, fetch
from tests.support.handsets import handsets
from tests.support.receiver import Receiver, receiver
from tests.support.subscription import Subscription

pytestmark = pytest.mark.wire
SECRET = "sms-secret-8f2a"
MOST = 5
"""People a broadcast may reach in this city."""


@pytest.fixture(scope="module")
def vendor() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def operated(vendor: Receiver) -> dict[str, str]:
    """How the operator of the city has people woken."""
    sms = (
        f'{{name = "sms", url = "{vendor.url}/ok/sms?to={{badge}}", headers = {{Authorization = "Bearer {SECRET}"}}, '
        'body = \'{"who": "{name}", "say": "{title} {text}"}\', urgent_only = true}'
    )
    return {
        "POC_NOTIFY__PUSH_HOSTS": f'["{vendor.url}", "push.example"]',
        "POC_NOTIFY__RETRY_S": "0.05",
        "POC_NOTIFY__AT_ONCE": "1",
        "POC_NOTIFY__WAITING_LIMIT": str(MOST),
        "POC_NOTIFY__HTTP": f"[{sms}]",
    }


@pytest.fixture(scope="module")
def city(links: Path, vendor: Receiver) -> Iterator[City]:
    with city_of_links(links, {**operated(vendor), "POC_EMERGENCY__RECIPIENTS": str(MOST)}) as made:
        yield made


@pytest.fixture
async def cast(city: City, links: Path) -> AsyncIterator[Cast]:
    async with handsets(city, links) as made:
        yield Cast(city, made)


def subscribe(cast: Cast, badge: str, browser: Subscription) -> None:
    cast.city.post("/api/v1/me/push", browser.given, token(cast, badge))


def counted(cast: Cast, what: str) -> float:
    """By whichever node has the desk."""
    nodes = range(len(cast.city.own_ports))
    return sum(cast.city.node_metric(node, f"poc_notify_{what}_total") for node in nodes)


def token(cast: Cast, badge: str) -> str:
    return next(i.token for i in cast.street.identities if i.user == cast.id(badge))


async def test_who_is_away_is_woken_and_endpoints_that_are_gone_are_forgotten(cast: Cast, vendor: Receiver) -> None:
    leader, here = await cast.phones("LD-001", "BJ-002")
    well, flaky = Subscription(f"{vendor.url}/ok/well"), Subscription(f"{vendor.url}/flaky/one")
    gone, refused = Subscription(f"{vendor.url}/gone/one"), Subscription(f"{vendor.url}/refuses/one")
    connected = Subscription(f"{vendor.url}/ok/connected")
    for badge, browser in (("BJ-001", well), ("XS-001", flaky), ("XS-002", gone), ("XS-003", refused)):
        subscribe(cast, badge, browser)
    subscribe(cast, "BJ-002", connected)
    away = [cast.id(badge) for badge in ("BJ-001", "XS-001", "XS-002", "XS-003")]
    to = Recipients(users=[*away, here.user])
    start = BroadcastStart(id="b1", broadcast="w1", to=to, kind="text", text='台风"红色"预警', tier=2)
    await leader.request(start)

    [pushed] = vendor.until("/ok/well")
    told = well.opened(pushed)
    assert (told["kind"], told["id"], told["body"], told["urgent"]) == ("broadcast", "w1", '台风"红色"预警', True)
    assert told["title"].startswith("Broadcast from ")
    assert Vapid02.verify(pushed.headers["authorization"])
    assert pushed.headers["urgency"] == "high"
    assert [each.status for each in vendor.until("/flaky/one", 3)] == [503, 503, 201]
    vendor.until("/gone/one")
    sms = vendor.until("/ok/sms", 4)
    assert {each.path.split("=")[1] for each in sms} == {"BJ-001", "XS-001", "XS-002", "XS-003"}
    assert sms[0].headers["authorization"] == f"Bearer {SECRET}"
    assert '台风"红色"预警' in json.loads(sms[0].body)["say"]

    # Practice alarms nobody, and who is connected needs no waking.
    await leader.request(start.model_copy(update={"id": "b2", "broadcast": "w2", "exercise": True}))
    practice = vendor.until("/ok/well", 2)[1]
    assert (well.opened(practice)["urgent"], practice.headers["urgency"]) == (False, "normal")
    assert well.opened(practice)["title"].startswith("[Exercise] ")
    assert (len(vendor.taken("/gone/one")), len(vendor.taken("/refuses/one"))) == (1, 2)
    assert (vendor.taken("/ok/connected"), len(vendor.taken("/ok/sms"))) == ([], 4)
    for name in ("w1", "w2"):
        await leader.request(BroadcastEnd(id=f"e{name}", broadcast=name, withdraw=True))
    assert counted(cast, "gone") == 1
    log = cast.city.log.read_text()
    for secret in (SECRET, "/ok/well", "/gone/one", well.given["keys"]["auth"]):
        assert secret not in log


async def test_sos_and_calls_wake_too_and_a_sign_out_ends_it(cast: Cast, vendor: Receiver) -> None:
    officer, caller = await cast.phones("BJ-003", "BJ-004")
    desk, callee = Subscription(f"{vendor.url}/ok/desk"), Subscription(f"{vendor.url}/ok/callee")
    subscribe(cast, "PQ-002", desk)
    subscribe(cast, "QK-001", callee)
    await officer.request(Sos(id="s", alert="sw", pressed_ms=time.time_ns() // 1_000_000))
    assert desk.opened(vendor.until("/ok/desk")[0])["kind"] == "sos"
    await caller.request(CallStart(id="c", users=[cast.id("QK-001")]))
    assert callee.opened(vendor.until("/ok/callee")[0])["title"].endswith("is calling you")
    dispatcher = await cast.phone("PQ-001")
    await dispatcher.request(AlertClaim(id="a", alert="sw"))
    await dispatcher.request(AlertResolve(id="z", alert="sw", outcome="false_alarm"))
    cast.city._call("DELETE", "/api/v1/me/push", {"endpoint": callee.given["endpoint"]}, token(cast, "QK-001"))
    await caller.request(CallStart(id="d", users=[cast.id("QK-001")]))
    await caller.request(CallStart(id="e", users=[cast.id("PQ-002")]))
    vendor.until("/ok/desk", 2)
    assert len(vendor.taken("/ok/callee")) == 1


async def test_an_sos_wakes_at_once_while_a_broadcast_waits_for_a_slow_push_service(
    cast: Cast, vendor: Receiver
) -> None:
    leader, officer = await cast.phones("LD-001", "BJ-003")
    desk = Subscription(f"{vendor.url}/ok/quick")
    subscribe(cast, "PQ-002", desk)
    slow = ("SZ-001", "SZ-002", "HW-001", "HW-002", "HW-003")
    for badge in slow:
        subscribe(cast, badge, Subscription(f"{vendor.url}/holds/{badge}"))
    to = Recipients(users=[cast.id(badge) for badge in slow])
    before = counted(cast, "dropped")
    for name in ("held", "beyond"):
        await leader.request(BroadcastStart(id=name, broadcast=name, to=to, kind="text", text="台风", tier=2))
    assert len(vendor.until("/holds/")) == 1, "one attempt at a time, and it does not end"
    assert counted(cast, "dropped") == before + MOST, "no room for a second broadcast"
    await officer.request(Sos(id="s", alert="over-it", pressed_ms=time.time_ns() // 1_000_000))
    assert desk.opened(vendor.until("/ok/quick")[0])["kind"] == "sos"
    assert len(vendor.taken("/holds/")) == 1
    vendor.let_go()
    vendor.until("/holds/", MOST)
    await officer.request(SosCancel(id="x", alert="over-it"))
    for name in ("held", "beyond"):
        await leader.request(BroadcastEnd(id=f"e{name}", broadcast=name, withdraw=True))


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "https://elsewhere.example/x"},
        {"endpoint": "https://push.example.evil.example/x"},
        {"endpoint": "http://push.example/x"},
        {"endpoint": "https://push.example:8443/x"},
        {"endpoint": "https://user@push.example/x"},
        {"endpoint": "file:///etc/passwd"},
        {"endpoint": "https://push.example/" + "x" * 1_024},
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"keys": {"p256dh": "B" + "A" * 86, "auth": "A" * 22}},
    ],
)
async def test_what_is_no_subscription_of_a_known_service_is_refused(cast: Cast, change: dict[str, Any]) -> None:
    given = Subscription("https://push.example/one").given
    cast.city.post("/api/v1/me/push", given, token(cast, "BJ-001"))
    with pytest.raises(urllib.error.HTTPError) as refused:
        cast.city.post("/api/v1/me/push", given | change, token(cast, "BJ-001"))
    assert refused.value.code == 422


async def test_the_disabled_are_left_out_and_too_many_are_refused(cast: Cast) -> None:
    leader = await cast.phone("LD-001")
    admin = cast.city.post(f"/api/v1/demo/people/{cast.id('XT-001')}/step-in")["access_token"]
    gone = cast.id("SZ-003")
    person = cast.city.get(f"/api/v1/people/{gone}", admin)
    headers = {"Authorization": f"Bearer {admin}", "Content-Type": "application/json", "If-Match": "*"}
    body = json.dumps({"name": person["name"], "unit": person["unit"], "enabled": False})
    fetch("PUT", f"{cast.city.url}/api/v1/people/{gone}", headers, body)

    people = [cast.id(badge) for badge in ("SZ-001", "SZ-002", "HW-001", "HW-002", "HW-003", "CG-001")]
    most = BroadcastStart(id="m", broadcast="most", to=Recipients(users=people[:MOST]), kind="text", text="x")
    started, _ = await leader.request(most)
    assert started.people == MOST
    beyond = most.model_copy(update={"id": "o", "broadcast": "beyond", "to": Recipients(users=people[: MOST + 1])})
    with pytest.raises(PhoneFailed) as refused:
        await leader.request(beyond)
    assert refused.value.code is Refusal.TOO_MANY
    with_him = Recipients(users=[people[0], gone])
    without, _ = await leader.request(most.model_copy(update={"id": "w", "broadcast": "without", "to": with_him}))
    assert without.people == 1
    alone = {"id": "a", "broadcast": "alone", "to": Recipients(users=[gone])}
    with pytest.raises(PhoneFailed) as nobody:
        await leader.request(most.model_copy(update=alone))
    assert nobody.value.code is Refusal.NOBODY_CALLED
    for name in ("most", "without"):
        await leader.request(BroadcastEnd(id=f"e{name}", broadcast=name, withdraw=True))
