"""Who is on duty, and where people are: planned, told, seen by those who may."""

from __future__ import annotations

import pytest

from groups.vocabulary import Role, UserId
from poc_server.store.city import units
from poc_server.store.ids import now_ms
from poc_server.store.places import EARLY
from tests.fixtures.desk import Desk

pytestmark = pytest.mark.wire


async def test_places_are_told_seen_by_those_who_may_and_kept_only_on_duty(desk: Desk) -> None:
    dispatcher = await desk.login(Role.DISPATCHER)
    officer = await desk.town.person(Role.OFFICER, name="巡查员")
    signed = await desk.town.auth.start_session(officer, "demo")
    mine = {"authorization": f"Bearer {signed.access_token}"}
    now = desk.town.clock()
    position = {"longitude": 114.3, "latitude": 30.6, "accuracy_m": 9, "at_ms": now}
    report = {"at_ms": now, "position": position, "cell": {"at_ms": now}, "battery": {"percent": 55, "at_ms": now}}
    told = await desk.client.post("/me/place", json={"reports": [report]}, headers=mine)
    assert (told.json()["accepted"], told.json()["interval_s"]) == (1, 15)
    (seen,) = (await desk.client.get("/places", headers=dispatcher)).json()
    assert (seen["user"], seen["position"]["source"], seen["cell"]) == (
        officer,
        "device",
        {"source": "none", "at_ms": now, "id": None, "age_ms": seen["cell"]["age_ms"]},
    )
    assert [each["user"] for each in (await desk.client.get("/places", headers=mine)).json()] == [officer]
    for part, said in (
        ("cell", {"at_ms": now, "id": "460-00-1-1"}),
        ("position", {**position, "source": "none"}),
        ("battery", {"percent": 5, "at_ms": now, "source": "none"}),
        ("motion", {"speed_mps": 5, "at_ms": now, "source": "none"}),
    ):
        invented = {**report, part: said}
        assert (await desk.client.post("/me/place", json={"reports": [invented]}, headers=mine)).status_code == 422, (
            part
        )
    admin = await desk.login(Role.SYSTEM_ADMIN)
    shift = {"unit": desk.town.unit, "name": "晚班", "starts_ms": now + 3_600_000, "ends_ms": now + 7_200_000}
    assert (await desk.client.post("/shifts", json=shift, headers=admin)).status_code == 201
    later = {**report, "at_ms": now + 10_000}
    off = await desk.client.post("/me/place", json={"reports": [later]}, headers=mine)
    assert (off.json()["wanted"], off.json()["accepted"]) == (False, 0)


async def test_what_was_measured_off_duty_is_not_taken_when_it_comes_on_duty(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    officer = await desk.town.person(Role.OFFICER, name="巡查员")
    mine = {"authorization": f"Bearer {(await desk.town.auth.start_session(officer, 'demo')).access_token}"}
    now = now_ms()
    body = {"unit": desk.town.unit, "name": "早班", "users": [officer]}
    for starts, ends in ((now - 3_600_000, now - 1_800_000), (now - 60_000, now + 3_600_000)):
        shift = {**body, "starts_ms": starts, "ends_ms": ends}
        assert (await desk.client.post("/shifts", json=shift, headers=admin)).status_code == 201
    minutes = (-70, -50, -40, -20, -10, 0)  # before, in the first shift twice, between, between, in the second
    reports = [{"at_ms": now + 60_000 * each, "cell": {"at_ms": now}} for each in minutes]
    told = await desk.client.post("/me/place", json={"reports": reports[::-1]}, headers=mine)
    assert (told.json()["wanted"], told.json()["accepted"]) == (True, 3)
    await desk.town.store.journal.drain()
    dispatcher = await desk.login(Role.DISPATCHER)
    span = {"from_ms": 0, "until_ms": now + 1}
    track = (await desk.client.get(f"/people/{officer}/track", params=span, headers=dispatcher)).json()
    assert [(each["at_ms"] - now) // 60_000 for each in track] == [-50, -40, 0]
    # No part is from after its report, whatever the phone says.
    assert [each["cell"]["at_ms"] - each["at_ms"] for each in track] == [0, 0, 0]


async def test_a_phone_reports_as_often_as_it_was_asked_to(desk: Desk) -> None:
    officer = await desk.town.person(Role.OFFICER, name="巡查员")
    mine = {"authorization": f"Bearer {(await desk.town.auth.start_session(officer, 'demo')).access_token}"}
    now = now_ms()
    least = round(EARLY * desk.town.store.settings.places.interval_s * 1000)
    for ages, taken in (((3 * least, 2 * least + 1, 2 * least), 2), ((least + 1,), 0), ((least,), 1), ((least,), 0)):
        reports = [{"at_ms": now - age} for age in ages]
        told = await desk.client.post("/me/place", json={"reports": reports}, headers=mine)
        assert told.json()["accepted"] == taken, ages


async def test_each_part_of_a_place_tells_its_own_age(desk: Desk) -> None:
    officer = await desk.town.person(Role.OFFICER, name="巡查员")
    mine = {"authorization": f"Bearer {(await desk.town.auth.start_session(officer, 'demo')).access_token}"}
    now = now_ms()
    position = {"longitude": 114.3, "latitude": 30.6, "at_ms": now - 70_000}
    reports = [
        {"at_ms": now - 60_000, "position": position, "battery": {"percent": 60, "at_ms": now - 60_000}},
        {"at_ms": now, "battery": {"percent": 55, "at_ms": now}},  # a cellar: no fix
    ]
    assert (await desk.client.post("/me/place", json={"reports": reports}, headers=mine)).json()["accepted"] == 2
    (seen,) = (await desk.client.get("/places", headers=mine)).json()
    assert (seen["position"]["at_ms"], seen["battery"]["percent"]) == (now - 70_000, 55)
    age = seen["age_ms"]
    assert (seen["position"]["age_ms"], seen["battery"]["age_ms"]) == (age + 70_000, age)


async def test_a_map_that_asks_again_is_told_of_newer_places_alone(desk: Desk) -> None:
    dispatcher = await desk.login(Role.DISPATCHER)
    phones = {}
    for name in ("甲", "乙"):
        user = await desk.town.person(Role.OFFICER, name=name)
        session = await desk.town.auth.start_session(user, "demo")
        phones[user] = {"authorization": f"Bearer {session.access_token}"}
    first, second = phones
    now = now_ms()

    async def report(user: str, age_ms: int) -> None:
        reports = [{"at_ms": now - age_ms, "battery": {"percent": 50, "at_ms": now - age_ms}}]
        told = await desk.client.post("/me/place", json={"reports": reports}, headers=phones[UserId(user)])
        assert told.json()["accepted"] == 1

    async def news(since: str = "", *, of: dict[str, str] = dispatcher) -> tuple[bool, list[str], list[str], str]:
        said = (await desk.client.get("/places/news", params={"since": since}, headers=of)).json()
        return said["whole"], [each["user"] for each in said["places"]], said["gone"], said["mark"]

    await report(first, 60_000)
    await report(second, 60_000)
    whole, users, gone, mark = await news()
    assert (whole, users, gone) == (True, [first, second], [])
    assert (await news(mark))[:3] == (False, [], [])
    await report(first, 0)
    whole, users, gone, newer = await news(mark)
    assert (whole, users, gone) == (False, [first], [])
    assert (await news(newer))[1] == []
    assert (await news(mark, of=phones[second]))[:3] == (False, [], []), "he may not locate a colleague"
    desk.town.store.places.forget(UserId(second))
    assert (await news(newer))[:3] == (False, [], [second])
    for nothing in ("", "elsewhere.1", f"{mark}0000", f"{mark.partition('.')[0]}.²"):
        assert (await news(nothing))[:3] == (True, [first], [])


async def test_who_is_on_duty_is_planned_and_seen(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    user = await desk.town.person(name="值班员")
    now = desk.town.clock()
    body = {
        "unit": desk.town.unit,
        "name": "早班",
        "starts_ms": now - 1_000,
        "ends_ms": now + 3_600_000,
        "users": [user],
    }
    made = await desk.client.post("/shifts", json=body, headers=admin)
    assert [each["name"] for each in (await desk.client.get("/shifts/now", headers=admin)).json()] == ["值班员"]
    listed = (await desk.client.get("/shifts", headers=admin)).json()
    assert ([each["id"] for each in listed["items"]], listed["next"]) == ([made.json()["id"]], None)
    path = f"/shifts/{made.json()['id']}"
    one = await desk.client.get(path, headers=admin)
    assert (one.json(), one.headers["etag"]) == (made.json(), made.headers["etag"])
    assert [each["name"] for each in one.json()["people"]] == ["值班员"]
    changed = await desk.client.put(
        path, json={**body, "users": []}, headers={**admin, "if-match": made.headers["etag"]}
    )
    assert changed.json()["users"] == []
    stale = await desk.client.delete(path, headers={**admin, "if-match": made.headers["etag"]})
    assert stale.status_code == 412
    assert (await desk.client.get("/shifts/now", headers=admin)).json() == []
    bad = await desk.client.post("/shifts", json={**body, "users": [UserId("us-nobody")]}, headers=admin)
    assert bad.status_code == 404


async def test_who_plans_duty_names_his_own_people(desk: Desk) -> None:
    town = desk.town
    async with town.store.change() as change:
        mine, theirs = [await units.create_unit(change, town.agency, town.unit, name) for name in ("东", "西")]
    own, other = await town.person(name="东人", unit=mine), await town.person(name="西人", unit=theirs)
    lead = await town.auth.start_session(await town.person(Role.SHIFT_LEADER, unit=mine), "demo")
    leader, admin = {"authorization": f"Bearer {lead.access_token}"}, await desk.login(Role.SYSTEM_ADMIN)
    now = town.clock()
    body = {"unit": mine, "name": "早班", "starts_ms": now, "ends_ms": now + 3_600_000, "users": [own]}
    made = await desk.client.post("/shifts", json=body, headers=leader)
    assert made.status_code == 201
    with_other = {**body, "users": [own, other]}
    refused = await desk.client.post("/shifts", json=with_other, headers=leader)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    path, match = f"/shifts/{made.json()['id']}", {"if-match": "*"}
    assert (await desk.client.put(path, json=with_other, headers={**leader, **match})).status_code == 403
    # Whom somebody with the right has put in may stay when the leader changes the hours.
    assert (await desk.client.put(path, json=with_other, headers={**admin, **match})).status_code == 200
    later = {**with_other, "ends_ms": now + 7_200_000}
    changed = await desk.client.put(path, json=later, headers={**leader, **match})
    assert (changed.status_code, set(changed.json()["users"])) == (200, {own, other})
    # By their units a page knows who comes along when the leader copies it.
    assert {each["id"]: each["unit"] for each in changed.json()["people"]} == {own: mine, other: theirs}


async def test_a_week_of_shifts_goes_on_page_by_page(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    now = desk.town.clock()
    made = set()
    for number in range(5):  # two begin at the same time: a page may end between them
        starts = now + 1_000 * (number // 2)
        body = {"unit": desk.town.unit, "name": f"{number}", "starts_ms": starts, "ends_ms": now + 60_000}
        made.add((await desk.client.post("/shifts", json=body, headers=admin)).json()["id"])
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await desk.client.get("/shifts", params={"limit": 1, "after": after}, headers=admin)).json()
        seen += [each["id"] for each in page["items"]]
        after = page["next"]
    assert (len(seen), set(seen)) == (5, made)
    for text in ("x", "WyJhIiwiYiJd"):  # the second: ["a", "b"]
        refused = await desk.client.get("/shifts", params={"after": text}, headers=admin)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_message")
