"""Who is there: told to those who may see it, with no more than they may know."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from signaling.messages import Call, CallEnded, CallLeave, CallStart, FloorTaken, Listening, Select
from tests.emergency.cast import Cast

pytestmark = pytest.mark.wire


def seen(cast: Cast, badge: str) -> dict[str, dict[str, Any]]:
    """Who this person sees to be there, by badge."""
    return {each["badge"]: each for each in asked(cast, badge, "/api/v1/presence")}


def asked(cast: Cast, badge: str, path: str) -> Any:
    """The answer to this person."""
    tokens = cast.city.post(f"/api/v1/demo/people/{cast.id(badge)}/step-in")
    return cast.city.get(path, tokens["access_token"])


async def test_a_dispatcher_sees_who_is_there_and_where_a_colleague_only_that_he_is(cast: Cast) -> None:
    officer, other = await cast.phones("BJ-004", "XS-003")
    group = cast.group(officer, "滨江巡查组")
    officer.link.send(Listening(state="yes"))
    other.link.send(Listening(state="no", reason="locked"))
    await officer.request(Select(id="s1", group=group))

    found = seen(cast, "PQ-002")
    assert (found["BJ-004"]["online"], found["BJ-004"]["emergency"]) == (True, False)
    assert found["BJ-004"]["group"] == group
    assert (found["XS-003"]["listening"], found["XS-003"]["reason"]) == (False, "locked")
    assert "QK-004" not in found

    colleague = seen(cast, "BJ-005")["BJ-004"]
    assert (colleague["online"], colleague["group"], colleague["talking_in"]) == (True, None, None)

    assert (found["BJ-004"]["busy"], colleague["busy"]) == (False, False)

    everybody = asked(cast, "PQ-002", "/api/v1/presence/news")
    assert everybody["whole"]
    other.link.send(Listening(state="no", reason="hidden"))
    reasons, news = {}, everybody
    async with asyncio.timeout(10):
        while news["whole"] or reasons.get("XS-003") != "hidden":  # of two nodes the other knows nothing of this mark
            await asyncio.sleep(0.1)
            news = asked(cast, "PQ-002", f"/api/v1/presence/news?since={everybody['mark']}")
            reasons = {each["badge"]: each["reason"] for each in news["people"]}


async def test_who_is_in_a_call_is_busy_to_all_who_see_him_and_afterwards_is_not(cast: Cast) -> None:
    caller, called = await cast.phones("BJ-004", "BJ-005")
    call, _ = await caller.request(CallStart(id="c1", users=[called.user]))
    assert isinstance(call, Call)
    await called.told(Call, phase="running", call=call.call)
    for looks in ("PQ-002", "BJ-003"):  # a dispatcher, and a colleague who may not see whom they talk with
        found = seen(cast, looks)
        assert (found["BJ-004"]["busy"], found["BJ-005"]["busy"]) == (True, True)
    assert found["BJ-004"]["talking_in"] is None
    await called.request(CallLeave(id="c2", call=call.call))
    await caller.told(CallEnded, call=call.call)
    found = seen(cast, "PQ-002")
    assert (found["BJ-004"]["busy"], found["BJ-005"]["busy"]) == (False, False)


async def test_who_has_the_air_is_busy_to_one_who_may_not_know_where(cast: Cast) -> None:
    officer, hears = await cast.phones("BJ-004", "BJ-005")
    group = cast.group(officer, "滨江巡查组")
    for phone in (officer, hears):
        await phone.select(group)
    press = officer.press_key(group)
    await press.settled
    await hears.told(FloorTaken, group=group)
    colleague = seen(cast, "BJ-003")["BJ-004"]
    assert (colleague["busy"], colleague["talking_in"]) == (True, None)
    assert seen(cast, "PQ-002")["BJ-004"]["talking_in"] == group
    officer.release_key()
