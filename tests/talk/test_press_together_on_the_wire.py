"""Twenty press at once, a hundred times: one grant each time, and each other has a place of its own in the queue."""

from __future__ import annotations

import asyncio
import time

import pytest

from signaling import limits
from signaling.messages import FloorGranted, FloorQueued, FloorQueuePositionRequest, FloorRelease, FloorRequest
from tests.emergency.cast import Cast
from tests.talk.ways_report import WaysReport

pytestmark = pytest.mark.wire
TEAMS = {"BJ": 5, "DH": 5, "XS": 4, "QK": 4, "CG": 2}
BADGES = tuple(f"{team}-00{n}" for team, size in TEAMS.items() for n in range(1, size + 1))
ROUNDS = 100
ASKED_A_ROUND = 3
"""Messages each phone sends: request, place, release."""
ROUND_S = ASKED_A_ROUND / limits.MESSAGES_PER_SECOND
"""The pace a phone is allowed: on a quick machine the rounds would run over it, and be answered `too_fast`."""


async def test_one_grant_and_places_in_order_of_priority(cast: Cast, ways_report: WaysReport) -> None:
    token = cast.city.post(f"/api/v1/demo/people/{cast.id('XT-001')}/step-in")["access_token"]
    unit = cast.city.get("/api/v1/me", token)["units"][0]["id"]
    made = {"name": "齐按", "unit": unit, "floor": {"queue_limit": 20}}
    group = cast.city.post("/api/v1/groups", made, token)["id"]
    phones = await asyncio.gather(*(cast.phone(badge) for badge in BADGES))
    priority: dict[str, int] = {}
    for number, phone in enumerate(phones):
        place = {"priority": 10 * (number % 5)}
        priority[phone.user] = place["priority"]
        cast.city.post(f"/api/v1/groups/{group}/members", {"users": [phone.user], "place": place}, token)
    await asyncio.gather(*(phone.select(group) for phone in phones))
    for turn in range(ROUNDS):
        began = time.perf_counter()
        asked = [phone.request(FloorRequest(id=f"p{turn}", group=group)) for phone in phones]
        answers = [answer for answer, _ in await asyncio.gather(*asked)]
        ways_report.figure("20 press at once: first sent → all answered", (time.perf_counter() - began) * 1e3)
        (talker,) = (p for p, answer in zip(phones, answers, strict=True) if isinstance(answer, FloorGranted))
        waiting = [phone for phone in phones if phone is not talker]
        assert sum(isinstance(answer, FloorQueued) for answer in answers) == len(waiting)
        where = [phone.request(FloorQueuePositionRequest(id=f"w{turn}", group=group)) for phone in waiting]
        said = [answer for answer, _ in await asyncio.gather(*where)]
        places = {answer.position: phone for phone, answer in zip(waiting, said, strict=True)}
        assert sorted(places) == list(range(1, len(phones)))
        numbers = [priority[places[place].user] for place in sorted(places)]
        assert numbers == sorted(numbers, reverse=True)
        await asyncio.gather(*(phone.request(FloorRelease(id=f"q{turn}", group=group)) for phone in waiting))
        await talker.request(FloorRelease(id=f"r{turn}", group=group))
        await asyncio.sleep(began + ROUND_S - time.perf_counter())
