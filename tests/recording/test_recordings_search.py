"""Search over both databases: who hears what, by everything that is known, page by page."""

from __future__ import annotations

import pytest

from groups.vocabulary import GroupId, Role, Tier
from poc_server.store.ids import now_ms
from tests.recording.town_with_voices import INCIDENT, PLACE, Voices, dispatcher, ids, voices

pytestmark = pytest.mark.wire
__all__ = ["voices"]


async def test_one_hears_only_what_was_said_while_one_was_a_member(voices: Voices) -> None:
    newcomer = await voices.town.person(name="新人")
    before = await voices.say()
    await voices.join(voices.group, newcomer)
    during = await voices.say()
    headers = await voices.as_user(newcomer)
    assert await ids(voices, headers) == [during]
    assert (await voices.client.get(f"/recordings/{before}", headers=headers)).status_code == 404
    await voices.leave(voices.group, newcomer)
    await voices.say()
    assert await ids(voices, headers) == []
    await voices.join(voices.group, newcomer)
    again = await voices.say()
    assert await ids(voices, headers) == [again, during]


async def test_a_dispatcher_hears_every_group_of_his_unit_and_those_that_are_gone(voices: Voices) -> None:
    other = await voices.new_group("督查组", voices.officer)
    keys = [await voices.say(), await voices.say(group=other), await voices.say(group=GroupId("gr-dissolved"))]
    assert await ids(voices, await dispatcher(voices), order="oldest") == keys
    assert await ids(voices, await voices.as_user(voices.colleague)) == keys[:1]
    administrator = await voices.as_user(await voices.town.person(Role.SYSTEM_ADMIN))
    assert await ids(voices, administrator) == []


async def test_search_finds_by_everything_that_is_known(voices: Voices) -> None:
    at = now_ms() + 1_000
    plain = await voices.say(frames=10, at_ms=at)
    marked = await voices.say(
        frames=50, by=voices.colleague, at_ms=at + 5_000, incident=INCIDENT, tier=Tier.IMMINENT_PERIL, place=PLACE
    )
    headers = await dispatcher(voices)
    for asked, found in (
        ({"group": voices.group}, [marked, plain]),
        ({"group": "gr-none"}, []),
        ({"user": voices.colleague}, [marked]),
        ({"incident": INCIDENT}, [marked]),
        ({"tier": 1}, [marked]),
        ({"shortest_ms": 2_000}, [marked]),
        ({"shortest_ms": 2_001}, []),
        ({"longest_ms": 400}, [plain]),
        ({"from_ms": at + 4_999}, [marked]),
        ({"until_ms": at + 5_000}, [plain]),
        ({"area": "121,31,122,32"}, [marked]),
        ({"area": "120,31,121,32"}, []),
        ({"order": "oldest"}, [plain, marked]),
    ):
        assert await ids(voices, headers, **asked) == found, asked


async def test_pages_follow_each_other_without_gap_or_repeat(voices: Voices) -> None:
    at = now_ms() + 1_000
    keys = [await voices.say(frames=2, at_ms=at + i, started_ms=at + i // 2) for i in range(5)]
    headers = await dispatcher(voices)
    for order in ("newest", "oldest"):
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            answer = await voices.client.get(
                "/recordings", headers=headers, params={"limit": 2, "order": order, **after}
            )
            seen += [row["id"] for row in answer.json()["recordings"]]
            if answer.json()["next"] is None:
                break
            after = {"after": answer.json()["next"]}
        assert len(seen) == 5
        assert set(seen) == set(keys)
