"""People, groups, devices, audit over HTTP: what administrators do, and what goes wrong with it."""

from __future__ import annotations

import itertools

import pytest

from groups.vocabulary import Role
from poc_server.store import SYSTEM
from poc_server.store.sql import locks
from tests.fixtures.desk import Desk
from tests.fixtures.people import found_town

pytestmark = pytest.mark.wire
HOSTILE = ["<script>alert(1)</script>", "'; DROP TABLE users; --", "王\u202e国", "👮🏽‍♀️", "a" * 128, "%_\\", "{{7*7}}"]


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
    again = await desk.client.post("/auth/refresh", json={"refresh_token": signed["refresh_token"]})
    assert [(each.status_code, each.json()["code"]) for each in (me, again)] == [(401, "bad_token")] * 2


async def test_a_device_that_slow_sql_has_not_heard_of_yet_is_disabled_in_the_lists_too(desk: Desk) -> None:
    security = await desk.login(Role.SECURITY_ADMIN)
    code, _ = await desk.town.auth.invite(SYSTEM, await desk.town.person())
    await desk.town.auth.enrol(code, "手机")
    (device,) = (await desk.client.get("/devices", headers=security)).json()["items"]
    async with desk.town.store.writing() as held:
        await locks.directory(held)
        off = await desk.client.post(f"/devices/{device['id']}/disable", headers=security)
        assert (off.status_code, off.json()["enabled"], off.json()["version"]) == (202, False, None)
        (listed,) = (await desk.client.get("/devices", headers=security)).json()["items"]
        one = (await desk.client.get(f"/devices/{device['id']}", headers=security)).json()
        assert (listed["enabled"], one["enabled"]) == (False, False)


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
    page = (await desk.client.get(f"/groups/{group}/members", headers=mine)).json()
    assert ([each["name"] for each in page["items"]], page["total"], page["next"]) == (["客人"], 1, None)
    for headers, offered_by, granted_by in (
        (my_security, "security_admin", None),
        (their_security, None, "security_admin"),
    ):
        (share,) = (await desk.client.get("/shares", headers=headers)).json()
        assert (share["owner_name"], share["agency_name"], share["guests"]) == ("江城", "邻市", 1)
        assert (share["offered_by"], share["granted_by"]) == (offered_by, granted_by)
    assert (await desk.client.delete(f"/shares/{group}", headers=their_security)).status_code == 204
    assert desk.town.store.directory.members(made.json()["id"]) == {}


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
