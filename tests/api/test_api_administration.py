"""People, groups, devices, audit over HTTP: what administrators do, and what goes wrong with it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from groups.vocabulary import Role, UserId
from poc_server.store import SYSTEM, sessions, units
from poc_server.store.ids import now_ms
from poc_server.store.places import EARLY
from tests.fixtures.people import Town, found_town

pytestmark = pytest.mark.wire
HOSTILE = ["<script>alert(1)</script>", "'; DROP TABLE users; --", "王\u202e国", "👮🏽‍♀️", "a" * 128, "%_\\", "{{7*7}}"]


@dataclass
class Desk:
    """HTTP clients of people with certain roles."""

    client: httpx.AsyncClient
    town: Town

    async def login(self, *roles: Role) -> dict[str, str]:
        user = await self.town.person(*roles, name="-".join(roles))
        signed = await self.town.auth.start_session(user, "demo")
        return {"authorization": f"Bearer {signed.access_token}"}


@pytest.fixture
async def desk(client: httpx.AsyncClient, town: Town) -> AsyncIterator[Desk]:
    return Desk(client, town)


async def test_a_person_is_created_found_changed_and_deleted(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    new = {"name": "王建国", "unit": desk.town.unit, "badge": "D-7", "account": "Wang", "phone": "13800000000"}
    made = await desk.client.post("/people", json=new, headers=admin)
    assert (made.status_code, made.json()["account"], made.json()["roles"]) == (201, "wang", [])
    location = made.headers["location"].removeprefix("/api/v1")
    found = (await desk.client.get("/people", params={"q": "wjg"}, headers=admin)).json()
    assert [each["id"] for each in found["items"]] == [made.json()["id"]]
    taken = await desk.client.post("/people", json={**new, "name": "乙"}, headers=admin)
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    for header, status in ((None, 428), ('"0"', 412), ("nonsense", 412), (made.headers["etag"], 200)):
        headers = admin if header is None else {**admin, "if-match": header}
        changed = await desk.client.put(location, json={**new, "name": "王建军"}, headers=headers)
        assert changed.status_code == status
    assert changed.json()["name"] == "王建军"
    gone = await desk.client.delete(location, headers={**admin, "if-match": changed.headers["etag"]})
    assert gone.status_code == 204
    assert (await desk.client.get(location, headers=admin)).json()["code"] == "unknown_user"


async def test_two_editors_of_one_group_do_not_overwrite_each_other(desk: Desk) -> None:
    one, two = await desk.login(Role.SYSTEM_ADMIN), await desk.login(Role.SYSTEM_ADMIN)
    body = {"name": "一组", "unit": desk.town.unit}
    made = await desk.client.post("/groups", json=body, headers=one)
    path, tag = made.headers["location"].removeprefix("/api/v1"), made.headers["etag"]
    first = await desk.client.put(path, json={**body, "name": "甲"}, headers={**one, "if-match": tag})
    second = await desk.client.put(path, json={**body, "name": "乙"}, headers={**two, "if-match": tag})
    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 412, "stale")
    assert (await desk.client.get(path, headers=two)).json()["name"] == "甲"


async def test_the_group_of_an_incident_stays_in_the_unit_of_its_case(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    other = (await desk.client.post("/units", json={"name": "二队", "parent": desk.town.unit}, headers=admin)).json()[
        "id"
    ]
    body = {"name": "路面塌陷", "unit": desk.town.unit, "kind": "incident"}
    made = await desk.client.post("/groups", json=body, headers=admin)
    path, headers = made.headers["location"].removeprefix("/api/v1"), {**admin, "if-match": made.headers["etag"]}
    for change in ({"unit": other}, {"kind": "chat"}):
        refused = await desk.client.put(path, json={**body, **change}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert f"{next(iter(change))} follows the case" in refused.text
    renamed = await desk.client.put(path, json={**body, "name": "塌陷"}, headers=headers)
    assert (renamed.status_code, renamed.json()["unit"]) == (200, desk.town.unit)


async def test_any_text_is_kept_as_it_is(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    for text in HOSTILE:
        await keep(desk, admin, text)


async def keep(desk: Desk, admin: dict[str, str], text: str) -> None:
    made = await desk.client.post("/people", json={"name": text, "unit": desk.town.unit}, headers=admin)
    assert made.json()["name"] == text
    found = (await desk.client.get("/people", params={"q": text[:64]}, headers=admin)).json()
    assert made.json()["id"] in [each["id"] for each in found["items"]]
    unit = await desk.client.post("/units", json={"name": text}, headers=admin)
    group = await desk.client.post("/groups", json={"name": text, "unit": unit.json()["id"]}, headers=admin)
    assert (unit.json()["name"], group.json()["name"]) == (text, text)
    times = {"starts_ms": 2_000_000_000_000, "ends_ms": 2_000_000_060_000}
    shift = await desk.client.post("/shifts", json={"unit": desk.town.unit, "name": text, **times}, headers=admin)
    body, any_version = {"unit": desk.town.unit, "name": text}, {**admin, "if-match": "*"}
    cell = await desk.client.put("/cells/420102001001009", json=body, headers=admin)
    if cell.status_code == 409:
        cell = await desk.client.put("/cells/420102001001009", json=body, headers=any_version)
    assert (shift.json()["name"], cell.json()["name"]) == (text, text)


async def test_names_that_are_none_are_refused(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    texts = ("", " ", "a\x00b", "a\nb", "\x1b[31m", "a" * 129)
    for path, text in itertools.product(("/people", "/groups"), texts):
        answer = await desk.client.post(path, json={"name": text, "unit": desk.town.unit}, headers=admin)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "name")


async def test_guessed_ids_find_nothing(desk: Desk) -> None:
    every = await desk.login(Role.SYSTEM_ADMIN)
    names = ("x", "us-aaaaaaaaaaaaaaaa", "..%2f..", "%00", "a" * 65, "%F0%9F%98%80", "*", "0")
    for path, name in itertools.product(("people", "groups", "units", "devices"), names):
        for method, tail in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/enrolments")):
            answer = await desk.client.request(
                method, f"/{path}/{name}{tail}", json={"name": "x", "unit": "x"}, headers={**every, "if-match": "*"}
            )
            assert answer.status_code in (404, 405, 422), f"{method} {answer.url}: {answer.text}"


async def test_roles_come_from_the_security_administrator_alone(desk: Desk) -> None:
    system, security = await desk.login(Role.SYSTEM_ADMIN), await desk.login(Role.SECURITY_ADMIN)
    user = await desk.town.person(Role.OFFICER)
    body, path = {"roles": ["dispatcher", "officer"]}, f"/people/{user}/roles"
    assert (await desk.client.put(path, json=body, headers={**system, "if-match": "*"})).status_code == 403
    given = await desk.client.put(path, json=body, headers={**security, "if-match": "*"})
    assert given.json()["roles"] == ["dispatcher", "officer"]
    person = desk.town.store.directory.user(user)
    assert person is not None
    assert person.roles == {Role.DISPATCHER, Role.OFFICER}


async def test_a_talk_ban_is_given_and_lifted_by_who_may_ban_alone(desk: Desk) -> None:
    admin, both = await desk.login(Role.SYSTEM_ADMIN), await desk.login(Role.SYSTEM_ADMIN, Role.DISPATCHER)
    body = {"name": "王建国", "unit": desk.town.unit}

    async def put(headers: dict[str, str], **more: bool) -> bool:
        answer = await desk.client.put(path, json={**body, **more}, headers={**headers, "if-match": "*"})
        return bool(answer.json()["talk_banned"])

    made = await desk.client.post("/people", json={**body, "talk_banned": True}, headers=admin)
    path = made.headers["location"].removeprefix("/api/v1")
    assert (made.json()["talk_banned"], await put(admin, talk_banned=True)) == (False, False)
    assert (await desk.client.put(f"{path}/ban", json={"banned": True}, headers=both)).status_code == 200
    assert (await put(admin), await put(admin, talk_banned=False), await put(both)) == (True, True, True)
    assert (await put(both, talk_banned=False), await put(both, talk_banned=True)) == (False, True)
    made = await desk.client.post("/people", json={**body, "talk_banned": True}, headers=both)
    assert made.json()["talk_banned"] is True


async def test_a_device_disabled_at_a_distance_is_out_at_once(desk: Desk) -> None:
    security = await desk.login(Role.SECURITY_ADMIN)
    user = await desk.town.person()
    code, _ = await desk.town.auth.invite(SYSTEM, user)
    signed = (await desk.client.post("/auth/enrol", json={"code": code, "device": "手机"})).json()
    devices = (await desk.client.get("/devices", params={"user": user}, headers=security)).json()["items"]
    assert [(each["name"], each["enabled"]) for each in devices] == [("手机", True)]
    off = await desk.client.post(f"/devices/{devices[0]['id']}/disable", headers=security)
    assert off.json()["enabled"] is False
    me = await desk.client.get("/me", headers={"authorization": f"Bearer {signed['access_token']}"})
    assert me.status_code in (401, 403)
    assert (await desk.client.post("/auth/refresh", json={"refresh_token": signed["refresh_token"]})).status_code > 400


async def test_sessions_are_listed_and_ended(desk: Desk) -> None:
    security = await desk.login(Role.SECURITY_ADMIN)
    user = await desk.town.person(name="目标")
    signed = await desk.town.auth.start_session(user, "demo", "198.51.100.7")
    mine = {"authorization": f"Bearer {signed.access_token}"}
    listed = (await desk.client.get("/sessions", params={"user": user}, headers=security)).json()
    assert [(each["user_name"], each["address"]) for each in listed["items"]] == [("目标", "198.51.100.7")]
    assert (await desk.client.delete(f"/me/sessions/{signed.session}", headers=security)).status_code == 404
    own = (await desk.client.get("/me/sessions", headers=mine)).json()
    assert ([each["id"] for each in own["items"]], own["total"]) == ([signed.session], 1)
    assert (await desk.client.delete(f"/sessions/{signed.session}", headers=security)).status_code == 204
    assert (await desk.client.get("/me", headers=mine)).status_code == 401


async def test_between_agencies_only_a_shared_group_is_visible(desk: Desk) -> None:
    other = await found_town(desk.town.store, desk.town.auth, desk.town.clock, "邻市")
    mine, theirs = await desk.login(Role.SYSTEM_ADMIN), await Desk(desk.client, other).login(Role.SYSTEM_ADMIN)
    my_security = await desk.login(Role.SECURITY_ADMIN)
    their_security = await Desk(desk.client, other).login(Role.SECURITY_ADMIN)
    guest = await other.person(name="客人")
    made = await desk.client.post("/groups", json={"name": "联勤", "unit": desk.town.unit}, headers=mine)
    group = made.json()["id"]
    assert (await desk.client.get(f"/groups/{group}", headers=theirs)).status_code == 404
    assert (await desk.client.get(f"/people/{guest}", headers=mine)).json()["code"] == "unknown_user"
    offer = f"/groups/{group}/shares/{other.agency}"
    assert (await desk.client.put(offer, headers=my_security)).status_code == 204
    assert (await desk.client.put(offer, headers=my_security)).status_code == 409
    early = await desk.client.put(f"/groups/{group}/members/{guest}", json={}, headers=theirs)
    assert early.json()["code"] == "unknown_group"
    assert (await desk.client.post(f"/shares/{group}/grant", headers=their_security)).status_code == 204
    assert (await desk.client.put(f"/groups/{group}/members/{guest}", json={}, headers=mine)).status_code == 404
    joined = await desk.client.put(f"/groups/{group}/members/{guest}", json={}, headers=theirs)
    assert joined.status_code == 204
    names = [each["name"] for each in (await desk.client.get(f"/groups/{group}/members", headers=mine)).json()]
    assert names == ["客人"]
    for headers, offered_by, granted_by in (
        (my_security, "security_admin", None),
        (their_security, None, "security_admin"),
    ):
        (share,) = (await desk.client.get("/shares", headers=headers)).json()
        assert (share["owner_name"], share["agency_name"], share["guests"]) == ("江城", "邻市", 1)
        assert (share["offered_by"], share["granted_by"]) == (offered_by, granted_by)
    assert (await desk.client.delete(f"/shares/{group}", headers=their_security)).status_code == 204
    assert desk.town.store.directory.members(made.json()["id"]) == {}


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


async def test_two_editors_of_one_cell_do_not_overwrite_each_other(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    keeper = await desk.town.person(name="网格员")
    path, body = "/cells/420102001001001", {"unit": desk.town.unit, "name": "一号", "user": keeper}
    made = await desk.client.put(path, json=body, headers=admin)
    assert (made.status_code, made.json().get("user_name")) == (200, "网格员"), made.text
    assert (await desk.client.get(path, headers=admin)).headers["etag"] == made.headers["etag"]
    for header, status in ((None, 409), ('"0"', 412), ("nonsense", 412), (made.headers["etag"], 200), ("*", 200)):
        headers = admin if header is None else {**admin, "if-match": header}
        assert (await desk.client.put(path, json={**body, "name": "改"}, headers=headers)).status_code == status
    absent = "/cells/420102001001002"
    assert (await desk.client.get(absent, headers=admin)).status_code == 404
    assert (await desk.client.put(absent, json=body, headers={**admin, "if-match": "*"})).status_code == 412
    now = (await desk.client.get(path, headers=admin)).headers["etag"]
    for header, status in ((None, 428), (made.headers["etag"], 412), (now, 204), (now, 404)):
        headers = admin if header is None else {**admin, "if-match": header}
        assert (await desk.client.delete(path, headers=headers)).status_code == status


async def test_two_editors_of_one_members_place_do_not_overwrite_each_other(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    user, absent = await desk.town.person(name="队员"), await desk.town.person(name="别人")
    group = (await desk.client.post("/groups", json={"name": "一组", "unit": desk.town.unit}, headers=admin)).json()
    members = f"/groups/{group['id']}/members"
    path = f"{members}/{user}"
    added = await desk.client.put(path, json={}, headers=admin)
    (seen,) = (await desk.client.get(members, headers=admin)).json()
    assert (added.status_code, added.headers["etag"]) == (204, f'"{seen["version"]}"')
    tag = added.headers["etag"]
    for header, status in ((None, 409), ('"0"', 412), ("nonsense", 412), (tag, 204), (tag, 412), ("*", 204)):
        headers = admin if header is None else {**admin, "if-match": header}
        answer = await desk.client.put(path, json={"priority": 200}, headers=headers)
        assert answer.status_code == status, (header, answer.text)
        assert status != 412 or answer.json()["code"] == "stale"
    other = await desk.client.put(f"{members}/{absent}", json={}, headers={**admin, "if-match": "*"})
    assert (other.status_code, other.json()["code"]) == (412, "stale")
    (seen,) = (await desk.client.get(members, headers=admin)).json()
    assert seen["priority"] == 200
    now = f'"{seen["version"]}"'
    for header, status in ((None, 428), (tag, 412), (now, 204), (now, 204)):  # twice out is out
        headers = admin if header is None else {**admin, "if-match": header}
        assert (await desk.client.delete(path, headers=headers)).status_code == status
    assert (await desk.client.get(members, headers=admin)).json() == []


async def test_people_added_together_leave_the_places_of_those_who_are_in(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    old, new = await desk.town.person(name="队员"), await desk.town.person(name="新人")
    group = (await desk.client.post("/groups", json={"name": "一组", "unit": desk.town.unit}, headers=admin)).json()
    members = f"/groups/{group['id']}/members"
    await desk.client.put(f"{members}/{old}", json={"priority": 7, "may_talk": False}, headers=admin)
    body = {"users": [old, new, new], "place": {"priority": 9}}
    answer = await desk.client.post(members, json=body, headers=admin)
    assert (answer.status_code, answer.json()) == (200, {"added": 1, "inside": [old]})
    seen = {each["user"]: each["priority"] for each in (await desk.client.get(members, headers=admin)).json()}
    assert seen == {old: 7, new: 9}


async def test_two_security_administrators_do_not_overwrite_what_the_other_gave(desk: Desk) -> None:
    one, two = await desk.login(Role.SECURITY_ADMIN), await desk.login(Role.SECURITY_ADMIN)
    path = f"/people/{await desk.town.person(name='队员')}"
    tag = (await desk.client.get(path, headers=one)).headers["etag"]
    for roles, header, status in (
        (["officer"], None, 428),
        (["officer"], '"0"', 412),
        (["officer"], "nonsense", 412),
        (["officer"], tag, 200),
        (["leader"], tag, 412),
    ):
        headers = two if header is None else {**two, "if-match": header}
        answer = await desk.client.put(f"{path}/roles", json={"roles": roles}, headers=headers)
        assert answer.status_code == status, (header, answer.text)
    assert answer.json()["code"] == "stale"
    now = await desk.client.get(path, headers=one)
    assert now.json()["roles"] == ["officer"]


async def test_a_password_is_given_to_who_was_seen(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    path = f"/people/{await desk.town.person(name='队员')}"
    tag = (await desk.client.get(path, headers=admin)).headers["etag"]
    for header, status in ((None, 428), ('"0"', 412), (tag, 204), (tag, 412)):
        headers = admin if header is None else {**admin, "if-match": header}
        answer = await desk.client.put(f"{path}/password", json={"password": "a long password"}, headers=headers)
        assert answer.status_code == status, (header, answer.text)


async def test_two_editors_of_one_device_do_not_overwrite_each_other(desk: Desk) -> None:
    admin, security = await desk.login(Role.SYSTEM_ADMIN), await desk.login(Role.SECURITY_ADMIN)
    owner = await desk.town.person()
    async with desk.town.store.change() as change:
        made = await sessions.create_device(change, desk.town.agency, owner, "手机")
    path = f"/devices/{made}"
    seen = await desk.client.get(path, headers=security)
    listed = (await desk.client.get("/devices", headers=admin)).json()["items"]
    assert listed == [seen.json()]
    tag = seen.headers["etag"]
    for header, status in ((None, 428), ('"0"', 412), (tag, 200), (tag, 412), ("*", 200)):
        headers = admin if header is None else {**admin, "if-match": header}
        answer = await desk.client.put(path, json={"name": "平板"}, headers=headers)
        assert answer.status_code == status, (header, answer.text)
    # What is lost is out, whatever was changed meanwhile.
    assert (await desk.client.post(f"{path}/disable", headers=security)).json()["enabled"] is False


async def test_pages_reach_everybody_once(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    for n in range(7):
        await desk.town.person(name=f"同名{n % 2}")
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await desk.client.get("/people", params={"limit": 3, "after": after}, headers=admin)).json()
        seen += [each["id"] for each in page["items"]]
        after = page.get("next")
    assert len(seen) == len(set(seen)) == 8
    for bad in ("x", "W10", "ey", "WzEsMl0", "//", "é"):
        answer = await desk.client.get("/people", params={"after": bad}, headers=admin)
        assert answer.status_code == 422


async def test_every_session_is_reached_page_by_page(desk: Desk) -> None:
    security = await desk.login(Role.SECURITY_ADMIN)
    user = await desk.town.person(name="目标")
    made = {(await desk.town.auth.start_session(user, "demo")).session for _ in range(5)}  # begun in the same ms, too
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        params = {"limit": 2, "after": after, "user": user}
        page = (await desk.client.get("/sessions", params=params, headers=security)).json()
        seen += [each["id"] for each in page["items"]]
        after = page["next"]
    assert (len(seen), set(seen), page["total"]) == (5, made, 5)
    for text in ("x", "WyJhIiwiYiJd"):  # the second: ["a", "b"]
        refused = await desk.client.get("/sessions", params={"after": text}, headers=security)
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_message")


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
