"""Private, first-to-answer and temporary-group calls over real sockets: the right people hear, nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from groups.vocabulary import Refusal
from loadtest.phone import PhoneFailed
from loadtest.speech import recording
from signaling.messages import (
    Call,
    CallAccept,
    CallAdd,
    CallEnd,
    CallEnded,
    CallLeave,
    CallList,
    CallRefuse,
    CallRinging,
    CallStart,
    CallStopped,
    Select,
)
from tests.support.city import City
from tests.support.handsets import Handset, Handsets, handsets
from tests.talk.ways_report import WaysReport

pytestmark = pytest.mark.wire


@pytest.fixture
def city(ways_city: City) -> City:
    return ways_city


@pytest.fixture
def links(ways_links: Path) -> Path:
    return ways_links


@pytest.fixture
async def street(city: City, links: Path) -> AsyncIterator[Handsets]:
    recording("zh-report")  # coded once, before a floor is held that would be lost meanwhile
    async with handsets(city, links) as made:
        yield made


def of(city: City, badge: str) -> str:
    return next(p["id"] for p in city.get("/api/v1/demo/people") if p["badge"] == badge)


async def called(city: City, street: Handsets, *badges: str) -> list[Handset]:
    wanted = [of(city, badge) for badge in badges]
    return [await street.connect(next(i for i in street.identities if i.user == user)) for user in wanted]


async def refusal(phone: Handset, message: Any) -> Refusal | None:
    with pytest.raises(PhoneFailed) as found:
        await phone.request(message)
    return found.value.code


async def lists(street: Handsets, phone: Handset, group: str) -> bool:
    """Whether a page that he opens now, on his node, offers him the group."""
    opened = await street.connect(phone.identity, node=0)
    assert opened.welcome is not None
    return group in {each.id for each in opened.welcome.groups}


async def audited(city: City, action: str, target: str) -> list[dict[str, Any]]:
    """The entries of one action on one target, as the audit administrator reads them, once there are some."""
    token = city.post(f"/api/v1/demo/people/{of(city, 'SJ-001')}/step-in")["access_token"]
    async with asyncio.timeout(30):
        while True:
            rows = (await asyncio.to_thread(city.get, f"/api/v1/audit?action={action}", token))["items"]
            tried = action.endswith(".refused")
            if found := [row for row in rows if row["target"] == target and row["refused"] == tried]:
                return found
            await asyncio.sleep(0.05)


async def until_recorded(city: City, path: str, token: str) -> dict[str, Any]:
    """The one recording that is found there, once it is."""
    async with asyncio.timeout(90):
        while True:
            if found := (await asyncio.to_thread(city.get, path, token))["recordings"]:
                return dict(found[0])
            await asyncio.sleep(0.05)


async def test_hold_a_name_and_talk_and_only_he_hears(city: City, street: Handsets, ways_report: WaysReport) -> None:
    a, b, c = await called(city, street, "BJ-001", "BJ-002", "BJ-003")
    await c.select(c.identity.groups[0])
    call, _ = await a.request(CallStart(id="c1", users=[b.user]))
    assert isinstance(call, Call)
    assert {p.person.id: p.part for p in call.parties} == {a.user: "joined", b.user: "joined"}
    await b.told(Call, phase="running", call=call.call)
    way = ways_report.way("private call by holding a name", (a, b), (c,))
    await way.says(a, call.group)
    assert a.packets() == 0
    await b.request(CallLeave(id="c2", call=call.call))
    assert (await a.told(CallEnded, call=call.call)).end == "hung_up"
    assert not await lists(street, a, call.group), "what was made for the call is gone with it"
    path = f"/api/v1/recordings?call={call.call}"
    recorded = await until_recorded(city, path, a.identity.token)
    assert (recorded["call"], recorded["talker"]["id"]) == (call.call, a.user)
    assert city.get(path, b.identity.token)["recordings"], "a party hears it again when the call is over"
    assert city.get(path, c.identity.token)["recordings"] == []


async def test_a_call_that_rings_is_answered_on_one_device(
    city: City, street: Handsets, ways_report: WaysReport
) -> None:
    a, b, c = await called(city, street, "BJ-001", "BJ-002", "BJ-003")
    call, _ = await a.request(CallStart(id="c1", users=[b.user], answering="manual"))
    assert call.phase == "setting up"
    ringing = await b.told(CallRinging)
    assert (ringing.by.id, ringing.ring_ms) == (a.user, 30_000)
    await b.request(CallAccept(id="c2", call=ringing.call))
    await a.told(Call, phase="running", call=call.call)
    way = ways_report.way("private call that rings", (a, b), (c,))
    await way.says(b, call.group)
    await a.request(CallEnd(id="c3", call=call.call))
    assert (await b.told(CallEnded, call=call.call)).end == "hung_up"


async def test_a_refused_call_ends_for_the_caller_with_the_reason(city: City, street: Handsets) -> None:
    a, b = await called(city, street, "BJ-001", "BJ-002")
    call, _ = await a.request(CallStart(id="c1", users=[b.user], answering="manual"))
    ringing = await b.told(CallRinging)
    await b.request(CallRefuse(id="c2", call=ringing.call))
    assert (await a.told(CallEnded, call=call.call)).end == "refused"


async def test_one_who_is_not_there_is_unreachable(city: City, street: Handsets) -> None:
    (a,) = await called(city, street, "BJ-001")
    call, _ = await a.request(CallStart(id="c1", users=[of(city, "BJ-004")]))
    assert (await a.told(CallEnded, call=call.call)).end == "unreachable"
    assert not await lists(street, a, call.group)


async def test_the_first_to_answer_gets_the_call(city: City, street: Handsets, ways_report: WaysReport) -> None:
    a, b, c = await called(city, street, "BJ-001", "BJ-002", "BJ-003")
    # It rings, whatever was asked: where both came in by themselves neither would be the first.
    call, _ = await a.request(CallStart(id="c1", kind="first_to_answer", users=[b.user, c.user]))
    ringing = await c.told(CallRinging)
    await b.told(CallRinging)
    await c.request(CallAccept(id="c2", call=ringing.call))
    assert (await b.told(CallStopped)).part == "not_needed"
    assert await refusal(b, CallAccept(id="c3", call=ringing.call)) is Refusal.CALL_OVER
    way = ways_report.way("first to answer", (a, c), (b,))
    await way.says(a, call.group)
    await way.says(c, call.group)
    await a.request(CallEnd(id="c4", call=call.call))
    await c.told(CallEnded, call=call.call)


async def test_a_dispatcher_makes_a_temporary_group_and_pulls_more_in(
    city: City, street: Handsets, ways_report: WaysReport
) -> None:
    d, other, a, b, c = await called(city, street, "PQ-001", "PQ-002", "BJ-001", "BJ-002", "BJ-003")
    call, _ = await d.request(CallStart(id="c1", kind="group", users=[a.user], name="临时组"))
    await a.told(Call, call=call.call)
    way = ways_report.way("temporary group from people", (d, a), (b, c))
    await way.says(a, call.group)
    # Pulled in by one whose call it is not, by his right.
    assert await refusal(a, CallAdd(id="c3", call=call.call, users=[b.user])) is Refusal.NOT_ALLOWED
    await other.request(CallAdd(id="c4", call=call.call, users=[b.user]))
    await b.told(Call, call=call.call)
    pulled = ways_report.way("temporary group, one pulled in", (d, a, b), (c, other))
    await pulled.says(a, call.group)
    await pulled.says(b, call.group)
    # Seen and ended by him too, for all: the other one's call (强拆). Whoever may end none sees none.
    assert await refusal(a, CallList(id="l1")) is Refusal.NOT_ALLOWED
    listed, _ = await other.request(CallList(id="l2"))
    (seen,) = [each for each in listed.calls if each.call == call.call]
    assert (seen.name, seen.by.id, seen.present) == ("临时组", d.user, 3)
    assert await refusal(b, CallEnd(id="c5", call=call.call)) is Refusal.NOT_ALLOWED
    await other.request(CallEnd(id="c6", call=call.call))
    for phone in (d, a, b):
        ended = await phone.told(CallEnded, call=call.call)
        assert (ended.end, ended.message) == ("forced", "The call was ended by a dispatcher")
    assert await refusal(a, Select(id="c7", group=call.group)) is Refusal.UNKNOWN_GROUP
    for action, tried in (("pull_in", a), ("force_end", b)):
        (row,) = await audited(city, action, call.call)
        assert row["actor"] == other.user
        (no,) = await audited(city, f"{action}.refused", call.call)
        assert no["actor"] == tried.user
    (row,) = await audited(city, "pull_in", call.call)
    assert row["detail"]["users"] == [b.user]


async def test_an_officer_makes_no_temporary_group_and_nobody_calls_himself(city: City, street: Handsets) -> None:
    a, b = await called(city, street, "BJ-001", "BJ-002")
    assert await refusal(a, CallStart(id="c1", kind="group", users=[b.user])) is Refusal.NOT_ALLOWED
    assert await refusal(a, CallStart(id="c2", users=[a.user])) is Refusal.NOBODY_CALLED
    assert await refusal(a, CallStart(id="c3", users=["us-nobody"])) is Refusal.UNKNOWN_USER
