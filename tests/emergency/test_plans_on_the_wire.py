"""A saved plan: kept by those who may, started by one tap, whom it reaches judged anew by who runs it."""

from __future__ import annotations

from urllib.error import HTTPError

import pytest

from groups.vocabulary import Refusal
from loadtest.phone import PhoneFailed
from signaling.messages import Broadcast, BroughtIn, EmergencyCancel, PlanRun
from tests.emergency.cast import Cast

pytestmark = pytest.mark.wire


async def test_one_tap_starts_what_a_plan_says(cast: Cast) -> None:
    leader, officer = await cast.phones("LD-001", "BJ-001")
    token = leader.identity.token
    flood = {
        "name": "防汛",
        "starts": {"what": "broadcast", "kind": "text", "to": {"users": [officer.user]}, "text": "按防汛方案就位"},
    }
    talk = {"name": "会商", "starts": {"what": "call", "to": {"users": [officer.user]}, "name": "会商"}}
    one, two = (cast.city.post("/api/v1/plans", plan, token)["id"] for plan in (flood, talk))
    assert [plan["name"] for plan in cast.city.get("/api/v1/plans", token)] == ["会商", "防汛"]
    started, _ = await leader.request(PlanRun(id="p1", plan=one, call="plan-1"))
    assert started.people == 1
    while (await officer.told(Broadcast)).broadcast.text != "按防汛方案就位":
        pass  # what waited for him before is told first
    called, _ = await leader.request(PlanRun(id="p2", plan=two, call="plan-2"))
    assert (await officer.told(BroughtIn, call="plan-2")).group.name == "会商"
    await leader.request(EmergencyCancel(id="p3", group=called.group.id))

    with pytest.raises(PhoneFailed) as refused:
        await officer.request(PlanRun(id="p4", plan=one, call="plan-4"))
    assert refused.value.code is Refusal.NOT_FOUND
    with pytest.raises(HTTPError) as forbidden:
        cast.city.post("/api/v1/plans", flood, officer.identity.token)
    assert forbidden.value.code == 403
    with pytest.raises(HTTPError) as wrong:
        cast.city.post("/api/v1/plans", {**flood, "starts": {"what": "dance"}}, token)
    assert wrong.value.code == 422
