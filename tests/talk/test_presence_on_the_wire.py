"""Who is there: told to those who may see it, with no more than they may know."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.messages import Listening, Select
from tests.emergency.cast import Cast

pytestmark = pytest.mark.wire


def seen(cast: Cast, badge: str) -> dict[str, dict[str, Any]]:
    """Who this person sees to be there, by badge."""
    tokens = cast.city.post(f"/api/v1/demo/people/{cast.id(badge)}/step-in")
    return {each["badge"]: each for each in cast.city.get("/api/v1/presence", tokens["access_token"])}


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
