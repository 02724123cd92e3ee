"""What people and programs do wrong with calls: answered with a code, and nobody else is harmed."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError

import pytest

from groups.vocabulary import Refusal
from loadtest.phone import PhoneFailed
from signaling.messages import (
    Call,
    CallAccept,
    CallAdd,
    CallEnd,
    CallEnded,
    CallLeave,
    CallRefuse,
    CallRinging,
    CallStart,
    FloorRequest,
    Listen,
    TextSend,
)
from tests.emergency.cast import Cast
from tests.support.handsets import Handset

pytestmark = pytest.mark.wire
PATROL = "滨江巡查组"


async def refusal(phone: Handset, message: Any) -> Refusal | None:
    with pytest.raises(PhoneFailed) as found:
        await phone.request(message)
    return found.value.code


async def test_one_user_answers_on_two_devices(cast: Cast) -> None:
    a, first = await cast.phones("BJ-001", "BJ-002")
    second = await cast.street.connect(first.identity, device="tablet")
    call, _ = await a.request(CallStart(id="c1", users=[first.user], answering="manual"))
    for device in (first, second):
        await device.told(CallRinging)
    await second.request(CallAccept(id="c2", call=call.call))
    assert await refusal(first, CallAccept(id="c3", call=call.call)) is Refusal.ANSWERED_ELSEWHERE
    await a.told(Call, phase="running")
    late = await cast.street.connect(first.identity, device="desk")
    await a.say(call.group, 5)
    await second.until_packets(5)
    assert (first.packets(), late.packets()) == (0, 0), "a device that did not answer hears nothing"
    await a.request(CallEnd(id="c4", call=call.call))
    await second.told(CallEnded, call=call.call)


async def test_of_a_call_that_is_over_nothing_can_be_asked(cast: Cast) -> None:
    a, b = await cast.phones("BJ-001", "BJ-002")
    call, _ = await a.request(CallStart(id="c1", users=[b.user]))
    await a.request(CallEnd(id="c2", call=call.call))
    await b.told(CallEnded, call=call.call)
    for kind in (CallAccept, CallRefuse, CallLeave, CallEnd):
        assert await refusal(b, kind(id="c3", call=call.call)) is Refusal.CALL_OVER
    assert await refusal(a, CallAdd(id="c4", call=call.call, users=[b.user])) is Refusal.CALL_OVER
    assert await refusal(a, FloorRequest(id="c5", group=call.group)) is Refusal.UNKNOWN_GROUP
    assert await refusal(a, TextSend(id="c6", message="late", group=call.group, text="x")) is Refusal.UNKNOWN_GROUP


async def test_calls_that_make_no_sense_or_reach_nobody(cast: Cast) -> None:
    a, b, dispatcher = await cast.phones("BJ-001", "BJ-002", "PQ-001")
    people = cast.city.post(f"/api/v1/demo/people/{cast.id('XT-001')}/step-in")["access_token"]
    unit = cast.city.get("/api/v1/me", people)["units"][0]["id"]
    gone = cast.city.post("/api/v1/people", {"name": "停用", "unit": unit, "enabled": False}, people)["id"]
    crossed = {"ring": [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]}
    nowhere = {"ring": [[0, 0], [1, 0], [1, 1], [0, 0]]}
    for wanted, code in (
        ({"users": [gone]}, Refusal.DISABLED),
        ({"users": ["us-nobody"]}, Refusal.UNKNOWN_USER),
        ({"users": [dispatcher.user]}, Refusal.NOBODY_CALLED),
        ({}, Refusal.NOBODY_CALLED),
        ({"users": [a.user, b.user]}, Refusal.BAD_MESSAGE),
        ({"kind": "group"}, Refusal.NOBODY_CALLED),
        ({"kind": "group", "area": crossed}, Refusal.BAD_AREA),
        ({"kind": "group", "area": nowhere}, Refusal.NOBODY_CALLED),
        ({"kind": "group", "users": [a.user], "duplex": True}, Refusal.BAD_MESSAGE),
        ({"kind": "first_to_answer", "users": [a.user], "duplex": True}, Refusal.BAD_MESSAGE),
        ({"kind": "prearranged", "groups": [cast.group(a, PATROL)]}, Refusal.CONFLICT),
        ({"kind": "prearranged", "users": [a.user]}, Refusal.BAD_MESSAGE),
        ({"kind": "ambient", "users": [a.user, b.user]}, Refusal.BAD_MESSAGE),
    ):
        assert await refusal(dispatcher, CallStart(id="c", **wanted)) is code, wanted


async def test_how_long_a_temporary_group_lasts_has_limits(cast: Cast) -> None:
    a, dispatcher = await cast.phones("BJ-001", "PQ-001")
    asked = CallStart(id="l0", kind="group", users=[a.user], lasts_s=60)
    longest = 24 * 3600
    for wrong in (59, 0, -60, longest + 1, 2**63):
        # As a client that does not check writes it.
        assert await refusal(dispatcher, asked.model_copy(update={"lasts_s": wrong})) is Refusal.BAD_MESSAGE, wrong
    ends = []
    for number, right in enumerate((60, longest)):
        call, _ = await dispatcher.request(asked.model_copy(update={"id": f"l{number + 1}", "lasts_s": right}))
        ends.append(call.ends_ms)
        await dispatcher.request(CallEnd(id=f"e{number}", call=call.call))
        await a.told(CallEnded, call=call.call)
    shortest_over, longest_over = ends
    assert longest_over - shortest_over >= (longest - 60) * 1000


async def test_the_rules_of_a_standing_groups_calls_have_limits(cast: Cast) -> None:
    token = cast.city.post(f"/api/v1/demo/people/{cast.id('XT-001')}/step-in")["access_token"]
    unit = cast.city.get("/api/v1/me", token)["units"][0]["id"]

    def made(name: str, value: object) -> tuple[int, str]:
        asked = {"name": f"限 {name} {value}", "unit": unit, "kind": "prearranged", "call": {name: value}}
        try:
            group = cast.city.post("/api/v1/groups", asked, token)
        except HTTPError as problem:
            with problem:
                return problem.code, json.loads(problem.read())["code"]
        return 201, group["call"][name]

    for name, least, most in (
        ("hang_ms", 1_000, 3_600_000),
        ("maximum_ms", 10_000, 86_400_000),
        ("least", 1, 100),
    ):
        assert made(name, least) == (201, least)
        assert made(name, most) == (201, most)
        for beyond in (least - 1, most + 1):
            assert made(name, beyond) == (422, "bad_message"), (name, beyond)
    assert made("hang_ms", None) == (201, None)


async def test_leaving_while_holding_or_queued_lets_the_next_one_talk(cast: Cast) -> None:
    a, b, c = await cast.phones("BJ-001", "BJ-002", "BJ-003")
    group = cast.group(a, PATROL)
    for phone in (a, b, c):
        await phone.select(group)
    held = a.press_key(group)
    await held.settled
    queued = b.press_key(group)
    third = c.press_key(group)
    await b.select(cast.group(b, "城东区联勤"))
    await a.select(cast.group(a, "城东区联勤"))
    await third.settled
    assert third.burst is not None
    assert queued.burst is None
    c.release_key()


async def test_in_a_group_of_nobody_there_is_nobody_to_talk_to(cast: Cast) -> None:
    dispatcher = await cast.phone("PQ-001", slots=4)
    people = cast.city.post(f"/api/v1/demo/people/{cast.id('XT-001')}/step-in")["access_token"]
    unit = cast.city.get("/api/v1/me", people)["units"][0]["id"]
    empty = {
        kind: cast.city.post("/api/v1/groups", {"name": f"空{kind}", "unit": unit, "kind": kind}, people)["id"]
        for kind in ("chat", "prearranged")
    }
    for number, (kind, group) in enumerate(empty.items()):
        await dispatcher.request(Listen(id=f"g{number}", groups=[group]))
        press = dispatcher.press_key(group)
        await press.settled
        assert press.cause is Refusal.ALONE, kind
        dispatcher.release_key()
    assert await refusal(dispatcher, CallStart(id="g9", kind="group", groups=[empty["chat"]])) is Refusal.NOBODY_CALLED
