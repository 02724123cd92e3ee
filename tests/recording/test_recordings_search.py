"""Search over both databases: who hears what, by everything that is known, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from groups.vocabulary import AgencyId, BurstEnd, GroupId, Role, Tier, UnitId
from poc_server.api.records.replay import MAX_MISSED
from poc_server.recording.replaying.missed import missed
from poc_server.store import BurstRecord, absence
from poc_server.store.absence import Away
from poc_server.store.city import groups
from poc_server.store.city.groups import GroupDraft
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
    keys = [
        await voices.say(),
        await voices.say(group=other),
        await voices.say(group=GroupId("gr-dissolved"), unit=voices.town.unit),
    ]
    assert await ids(voices, await dispatcher(voices), order="oldest") == keys
    assert await ids(voices, await voices.as_user(voices.colleague)) == keys[:1]
    administrator = await voices.as_user(await voices.town.person(Role.SYSTEM_ADMIN))
    assert await ids(voices, administrator) == []


async def test_what_was_said_in_a_group_that_is_gone_is_heard_by_who_was_in_it_then(voices: Voices) -> None:
    group = await voices.new_group("路面塌陷", voices.officer, voices.colleague)
    during = await voices.say(group=group)
    await voices.leave(group, voices.colleague)
    async with voices.store.change() as change:
        await groups.delete_group(change, group)
    after = await voices.say(group=group)
    assert await ids(voices, await voices.as_user(voices.officer)) == [during]
    assert await ids(voices, await voices.as_user(voices.colleague)) == []
    assert after not in await ids(voices, await voices.as_user(await voices.town.person(name="外人")))


async def test_who_left_last_does_not_hear_a_group_again_because_it_goes(voices: Voices) -> None:
    group = await voices.new_group("路面塌陷", voices.officer, voices.colleague)
    await voices.say(group=group)
    for user in (voices.colleague, voices.officer):
        await voices.leave(group, user)
    headers = await voices.as_user(voices.officer)
    assert await ids(voices, headers) == []
    async with voices.store.change(at_ms=now_ms() + 1_000) as change:
        await groups.delete_group(change, group)
    assert await ids(voices, headers) == []


async def test_who_was_in_a_case_when_it_was_first_archived_and_left_it_since_does_not_hear_it_again(
    voices: Voices,
) -> None:
    draft = GroupDraft(voices.town.agency, voices.town.unit, "路面塌陷")
    headers = await voices.as_user(voices.officer)
    group = GroupId("in-1")
    heard = []
    for life, stays in enumerate((True, False), 1):
        async with voices.store.change() as change:
            await groups.create_group(change, draft, group)
        await voices.join(group, voices.officer)
        heard.append(await voices.say(group=group))
        if not stays:
            await voices.leave(group, voices.officer)
        async with voices.store.change(at_ms=now_ms() + 1_000 * life) as change:
            await groups.delete_group(change, group)
        assert await ids(voices, headers) == (heard if stays else [])


async def test_a_party_to_a_call_hears_it_when_its_group_is_gone_and_so_does_the_office_of_its_unit(
    voices: Voices,
) -> None:
    key = await voices.say(group=GroupId("gr-call"), hearers=(voices.officer, voices.colleague), unit=voices.town.unit)
    for user in (voices.officer, voices.colleague):
        assert await ids(voices, await voices.as_user(user)) == [key]
    assert await ids(voices, await voices.as_user(await voices.town.person(name="外人"))) == []
    assert await ids(voices, await dispatcher(voices)) == [key]
    elsewhere = await voices.say(group=GroupId("gr-far"), unit=UnitId("un-elsewhere"))
    assert elsewhere not in await ids(voices, await dispatcher(voices))


async def test_what_one_missed_is_what_others_said_where_one_was_a_member_emergencies_first(voices: Voices) -> None:
    since = now_ms()
    newcomer = await voices.town.person(name="新人")
    await voices.say()
    await voices.join(voices.group, newcomer)
    first = await voices.say(frames=10)
    await voices.say(by=newcomer)
    sos = await voices.say(frames=20, tier=Tier.EMERGENCY)
    party = await voices.say(group=GroupId("gr-call"), hearers=(newcomer,))
    headers = await voices.as_user(newcomer)
    until = now_ms() + 1_000
    answer = await voices.client.get("/missed", headers=headers, params={"from_ms": since, "until_ms": until})
    assert [row["id"] for row in answer.json()["recordings"]] == [sos, first, party]
    assert (answer.json()["more"], answer.json()["more_ms"], answer.json()["next"]) == (0, 0, None)
    asked = {"from_ms": since, "until_ms": until, "limit": 2}
    part = (await voices.client.get("/missed", headers=headers, params=asked)).json()
    assert (len(part["recordings"]), part["more"], part["more_ms"]) == (2, 1, 1_000)
    rest = (await voices.client.get("/missed", headers=headers, params={**asked, "after": part["next"]})).json()
    assert ([row["id"] for row in rest["recordings"]], rest["more"], rest["next"]) == ([party], 0, None)
    for wrong in ({"limit": 0}, {"limit": MAX_MISSED + 1}, {"after": "1.2.b-3"}):
        refused = await voices.client.get("/missed", headers=headers, params=wrong)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_message")
    told = await missed(voices.store, newcomer, Away(since, until))
    assert (told.bursts, told.duration_ms) == (3, 400 + 800 + 1_000)
    assert [(each.group_name, each.bursts, each.tier) for each in told.by] == [("市容一组", 2, 2), ("", 1, 0)]
    yesterday = await voices.client.get("/missed", headers=headers, params={"from_ms": 0, "until_ms": until})
    assert yesterday.json()["from_ms"] > now_ms() - 24 * 3_600_000 - 10_000
    assert (await voices.client.get("/missed", headers=headers)).json()["recordings"] == []


async def test_what_one_missed_beyond_one_list_is_counted_and_follows(voices: Voices) -> None:
    since = now_ms() - 3_600_000
    newcomer = await voices.town.person(name="新人")
    headers = await voices.as_user(newcomer)

    async def said(count: int, from_ms: int) -> None:
        at = [from_ms + 5 * (number // 2) for number in range(count)]  # two begin at once
        for number, at_ms in enumerate(at):
            record = BurstRecord(
                id=at_ms + number,
                group=GroupId("gr-call"),
                agency=AgencyId(voices.town.agency),
                user=voices.officer,
                user_name="王建国",
                node="n1",
                started_ms=at_ms,
                ended_ms=at_ms + 3,
                end=BurstEnd.RELEASED,
                tier=Tier.EMERGENCY if number == count - 1 else Tier.NORMAL,
                hearers=(newcomer,),
                duration_ms=3,
                file="x.ogg",
            )
            voices.store.journal.append(record)
        await voices.store.journal.drain()

    async def listed(after: str | None = None) -> dict[str, Any]:
        asked = {"from_ms": since, "until_ms": now_ms(), **({"after": after} if after else {})}
        return dict((await voices.client.get("/missed", headers=headers, params=asked)).json())

    await said(MAX_MISSED, since + 1_000)
    whole = await listed()
    assert (len(whole["recordings"]), whole["more"], whole["next"]) == (MAX_MISSED, 0, None)
    await said(1, since + 500_000)
    first = await listed()
    assert (len(first["recordings"]), first["more"], first["more_ms"]) == (MAX_MISSED, 1, 3)
    second = await listed(first["next"])
    assert (len(second["recordings"]), second["more"], second["next"]) == (1, 0, None)
    told = [*first["recordings"], *second["recordings"]]
    assert len({row["id"] for row in told}) == MAX_MISSED + 1
    assert [row["tier"] for row in told[:3]] == [2, 2, 0]
    assert [row["started_ms"] for row in told[2:]] == sorted(row["started_ms"] for row in told[2:])


async def test_an_absence_is_remembered_and_bounded(voices: Voices) -> None:
    user = voices.colleague
    async with voices.store.writing() as connection:
        assert await absence.returned(connection, {user: Away(0, 1_000)}) == {}
        await absence.seen(connection, {user: 5_000, voices.officer: 6_000})
        assert await absence.returned(connection, {user: Away(4_000, 9_000)}) == {user: Away(5_000, 9_000)}
        assert await absence.last_away(connection, user) == Away(5_000, 9_000)
        assert await absence.returned(connection, {user: Away(80_000, 90_000)}) == {user: Away(80_000, 90_000)}
        assert await absence.last_away(connection, voices.officer) is None


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
