"""Two who edit the same: the second sees what the first did, and overwrites nothing."""

from __future__ import annotations

import pytest

from groups.vocabulary import Role
from poc_server.store.city import sessions
from tests.fixtures.desk import Desk

pytestmark = pytest.mark.wire


async def test_two_editors_of_one_group_do_not_overwrite_each_other(desk: Desk) -> None:
    one, two = await desk.login(Role.SYSTEM_ADMIN), await desk.login(Role.SYSTEM_ADMIN)
    body = {"name": "一组", "unit": desk.town.unit}
    made = await desk.client.post("/groups", json=body, headers=one)
    path, tag = made.headers["location"].removeprefix("/api/v1"), made.headers["etag"]
    first = await desk.client.put(path, json={**body, "name": "甲"}, headers={**one, "if-match": tag})
    second = await desk.client.put(path, json={**body, "name": "乙"}, headers={**two, "if-match": tag})
    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 412, "stale")
    assert (await desk.client.get(path, headers=two)).json()["name"] == "甲"


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
    (seen,) = (await desk.client.get(members, headers=admin)).json()["items"]
    assert (added.status_code, added.headers["etag"]) == (204, f'"{seen["version"]}"')
    tag = added.headers["etag"]
    for header, status in ((None, 409), ('"0"', 412), ("nonsense", 412), (tag, 204), (tag, 412), ("*", 204)):
        headers = admin if header is None else {**admin, "if-match": header}
        answer = await desk.client.put(path, json={"priority": 200}, headers=headers)
        assert answer.status_code == status, (header, answer.text)
        assert status != 412 or answer.json()["code"] == "stale"
    other = await desk.client.put(f"{members}/{absent}", json={}, headers={**admin, "if-match": "*"})
    assert (other.status_code, other.json()["code"]) == (412, "stale")
    (seen,) = (await desk.client.get(members, headers=admin)).json()["items"]
    assert seen["priority"] == 200
    now = f'"{seen["version"]}"'
    for header, status in ((None, 428), (tag, 412), (now, 204), (now, 204)):  # twice out is out
        headers = admin if header is None else {**admin, "if-match": header}
        assert (await desk.client.delete(path, headers=headers)).status_code == status
    assert (await desk.client.get(members, headers=admin)).json()["items"] == []


async def test_people_added_together_leave_the_places_of_those_who_are_in(desk: Desk) -> None:
    admin = await desk.login(Role.SYSTEM_ADMIN)
    old, new = await desk.town.person(name="队员"), await desk.town.person(name="新人")
    group = (await desk.client.post("/groups", json={"name": "一组", "unit": desk.town.unit}, headers=admin)).json()
    members = f"/groups/{group['id']}/members"
    await desk.client.put(f"{members}/{old}", json={"priority": 7, "may_talk": False}, headers=admin)
    body = {"users": [old, new, new], "place": {"priority": 9}}
    answer = await desk.client.post(members, json=body, headers=admin)
    assert (answer.status_code, answer.json()) == (200, {"added": 1, "inside": [old]})
    seen = {each["user"]: each["priority"] for each in (await desk.client.get(members, headers=admin)).json()["items"]}
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
