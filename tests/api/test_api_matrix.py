"""Every role × every route with a rule × every kind of target: the answer is the policy table's, always.

Every route is asked on both databases; where a target lies far or in another agency, each is asked on one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from groups.model import Membership, User
from groups.policy import Act, may
from groups.reach import Target
from groups.vocabulary import GroupId, Refusal, Role, UnitId, UserId
from poc_server.api import Services
from poc_server.auth import Auth
from poc_server.auth.keys import load_or_make
from poc_server.store import Store
from poc_server.store.city import cells, duty, groups, people, sessions, sharing, units
from poc_server.store.city.duty import ShiftDraft
from poc_server.store.city.groups import GroupDraft
from poc_server.store.city.people import UserDraft
from poc_server.store.ids import now_ms
from poc_server.store.records import keeping
from poc_server.store.records.keeping import Hold, HoldKind, Rule
from tests.fixtures.api import api_of
from tests.fixtures.people import QUICK, Clock, Town, found_town
from tests.fixtures.routes import routes

pytestmark = pytest.mark.wire

ON_ONE = pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
CELL = "420102001001001"
OF_RECORDING = (
    "/recordings",
    "/exports",
    "/missed",
    "/materials",
    "/evidence/keys",
    "/retention/terms",
    "/groups/{group}/on-air",
    "/groups/{group}/last-said",
)
"""Need something recorded: tests/talk/matrix_routes.py asks them."""
SHOWS_WHAT_MAY_BE_SEEN = {("GET", "/places"), ("GET", "/places/news")}
"""Lists that leave out what the caller may not see, so that an empty list is their refusal."""
NOT_THERE = {Refusal.NOT_FOUND, Refusal.UNKNOWN_GROUP, Refusal.UNKNOWN_USER}


@dataclass
class Place:
    """Where a target lies, seen from a caller in the middle unit, and what is there of it."""

    unit: UnitId
    user: UserId
    group: GroupId
    shift: str = ""
    device: str = ""
    session: str = ""
    hold: str = ""


NOTHING = Place(UnitId(""), UserId(""), GroupId(""))


class World:
    """Two agencies; in the first a caller of each role, and targets in his subtree and beside it."""

    def __init__(self, store: Store, town: Town, foreign: Town, middle: UnitId, low: UnitId, side: UnitId) -> None:
        self.store, self.town, self.foreign = store, town, foreign
        self.middle, self.low, self.side = middle, low, side
        self.tokens: dict[Role, str] = {}
        self.callers: dict[Role, UserId] = {}

    async def place(self, where: str, path: str, before: Place | None = None) -> Place:
        """What a request to ``path`` needs, made anew where there was one ``before``.

        No more than that: each thing is several statements, and places are most of what these tests take time for.
        """
        town = self.foreign if where == "foreign" else self.town
        unit = {"near": self.low, "far": self.side, "foreign": town.unit}[where]
        now = now_ms()
        made = replace(before or NOTHING)
        async with self.store.change() as change:
            if before is None or "{user}" in path or "{shift}" in path:
                draft = UserDraft(town.agency, unit, "目标", frozenset({Role.OFFICER}))
                made.user = await people.create_user(change, draft)
            if "{unit}" in path or path.startswith("/shifts"):
                made.unit = await units.create_unit(change, town.agency, unit, "空")
            if "{group}" in path or path.startswith("/retention"):
                made.group = await groups.create_group(change, GroupDraft(town.agency, unit, "组"))
                await groups.set_members(change, made.group, [Membership(made.group, made.user)])
            if "{device}" in path:
                made.device = await sessions.create_device(change, town.agency, made.user, "手机")
            if "{shift}" in path:
                shift = ShiftDraft(town.agency, unit, "班", now, now + 3_600_000, frozenset({made.user}))
                made.shift = await duty.create_shift(change, shift)
        if "{session}" in path:
            made.session = (await town.auth.start_session(made.user, "demo")).session
        return made


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> World:
    clock = Clock()
    auth = Auth(QUICK, store, load_or_make(tmp_path / "keys"), clock)
    town, foreign = await found_town(store, auth, clock), await found_town(store, auth, clock, "邻市")
    async with store.change() as change:
        middle = await units.create_unit(change, town.agency, town.unit, "中")
        low = await units.create_unit(change, town.agency, middle, "下")
        side = await units.create_unit(change, town.agency, town.unit, "旁")
    made = World(store, town, foreign, middle, low, side)
    for role in Role:
        made.callers[role] = await town.person(role, name=role.value, unit=middle)
        made.tokens[role] = (await auth.start_session(made.callers[role], "demo")).access_token
    return made


@pytest.fixture
def app(world: World) -> FastAPI:
    return api_of(Services(world.store, world.town.auth))


def body_of(method: str, path: str, world: World, place: Place, unit: UnitId) -> Any:
    now = now_ms()
    bodies: dict[tuple[str, str], Any] = {
        ("POST", "/people"): {"name": "新", "unit": world.low},
        ("PUT", "/people/{user}"): {"name": "改", "unit": unit},
        ("PUT", "/people/{user}/roles"): {"roles": ["handler"]},
        ("PUT", "/people/{user}/ban"): {"banned": True},
        ("PUT", "/people/{user}/password"): {"password": "long enough"},
        ("POST", "/people/{user}/enrolments"): {},
        ("POST", "/units"): {"name": "新", "parent": world.low},
        ("PUT", "/units/{unit}"): {"name": "改"},
        ("PUT", "/cells/{code}"): {"unit": world.low},
        ("POST", "/groups"): {"name": "新", "unit": world.low},
        ("PUT", "/groups/{group}"): {"name": "改", "unit": unit},
        ("POST", "/groups/{group}/members"): {"users": [world.callers[Role.OFFICER]]},
        ("PUT", "/groups/{group}/members/{user}"): {},
        ("PUT", "/devices/{device}"): {"name": "改"},
        ("POST", "/shifts"): {"unit": place.unit, "name": "班", "starts_ms": now, "ends_ms": now + 1_000},
        ("PUT", "/retention/rules/{kind}/{target}"): {"days": 400},
        ("POST", "/retention/holds"): {"kind": "group", "target": place.group, "reason": "诉讼"},
        ("POST", "/retention/holds/{hold}/release"): {"reason": "结案"},
        ("PUT", "/shifts/{shift}"): {"unit": unit, "name": "班", "starts_ms": now, "ends_ms": now + 1_000},
    }
    return bodies.get((method, path))


def target_of(method: str, path: str, world: World, place: Place, caller: User, act: Act) -> Target:
    directory = world.store.directory
    agency = directory.agency(caller.agency)
    assert agency is not None
    wanted: Target | None
    if path.startswith("/groups/{group}"):
        wanted = directory.group(place.group)
    elif path.startswith(("/shares", "/cells", "/retention", "/evidence")):
        wanted = agency
    elif path.startswith(("/shifts", "/units/{unit}")):
        wanted = directory.unit(place.unit)
    elif act in (Act.ADMINISTER_DEVICES, Act.SEE_DEVICES):
        wanted = agency
    elif "{" in path or (path in ("/people", "/presence", "/presence/news", "/sessions") and method == "GET"):
        wanted = directory.user(place.user)
    else:
        wanted = agency
    assert wanted is not None
    return wanted


@pytest.mark.parametrize(
    ("store_settings", "where"),
    [("sqlite", "near"), ("postgresql", "near"), ("postgresql", "far"), ("sqlite", "foreign")],
    indirect=["store_settings"],
)
async def test_the_answer_of_every_route_is_that_of_the_table(world: World, app: FastAPI, where: str) -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    checked = 0
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
        for method, path, act in in_the_office(app):
            if where != "near" and lies_nowhere(path):
                continue
            place = await world.place(where, path)
            for role in Role:
                done = await check(world, client, method, path, act, role, where, place)
                checked += 1
                if (done and method != "GET") or is_of_an_offer(method, path):
                    place = await world.place(where, path, place)
    assert checked >= (300 if where == "near" else 150)


def in_the_office(app: FastAPI) -> Iterator[tuple[str, str, Act]]:
    """The routes that are asked here: they have an act of the table, and need no live city."""
    for method, path, said in routes(app):
        if "x-act" in said and not path.startswith(OF_RECORDING):
            yield method, path, Act(said["x-act"])


def lies_nowhere(path: str) -> bool:
    """Whether a route has no target in its path that lies anywhere."""
    own_list = "{" not in path and path != "/shifts"
    return own_list or path.startswith(("/cells", "/shares", "/retention", "/evidence"))


def is_of_an_offer(method: str, path: str) -> bool:
    """Whether a route grants or ends what another agency, or this one, has offered."""
    return path.startswith("/shares/") or (method == "DELETE" and "shares" in path)


async def prepare(world: World, method: str, path: str, where: str, place: Place, caller: User) -> None:
    """What must be there before: an offer to grant or end, a rule, a hold, a cell to delete."""
    if is_of_an_offer(method, path):
        async with world.store.change() as change:
            if path.startswith("/shares/"):
                foreign = world.foreign
                place.group = await groups.create_group(change, GroupDraft(foreign.agency, foreign.unit, "组"))
                await sharing.offer(change, place.group, caller.agency)
            else:
                await sharing.offer(change, place.group, (world.town if where == "foreign" else world.foreign).agency)
    elif path.startswith("/retention/rules/"):
        async with world.store.change() as change:
            await keeping.set_rule(change, caller.agency, Rule(HoldKind.GROUP, place.group, 400))
    elif path.startswith("/retention/holds/"):
        async with world.store.change() as change:
            place.hold = await keeping.begin_hold(change, caller.agency, Hold(HoldKind.GROUP, place.group, "诉讼"))
    elif path == "/cells/{code}":
        async with world.store.change() as change:
            await cells.put_cells(change, [cells.Cell(world.town.agency, CELL, "", world.low)])


async def check(
    world: World, client: httpx.AsyncClient, method: str, path: str, act: Act, role: Role, where: str, place: Place
) -> bool:
    """Whether the request was carried out."""
    directory = world.store.directory
    caller = directory.user(world.callers[role])
    assert caller is not None
    await prepare(world, method, path, where, place, caller)
    unit = {"near": world.low, "far": world.side, "foreign": world.foreign.unit}[where]
    values = {
        "user": place.user, "group": place.group, "unit": place.unit, "device": place.device, "shift": place.shift,
        "session": place.session, "code": CELL, "agency": world.foreign.agency,
        "kind": "group", "target": place.group, "hold": place.hold, "day": "2026-01-01",
    }  # fmt: skip
    if where == "foreign":
        values["agency"] = world.town.agency
    url = re.sub(r"\{(\w+)\}", lambda found: values[found[1]], path)
    target = target_of(method, path, world, place, caller, act)
    expected = may(act, caller, target, directory)
    answer = await client.request(
        method,
        url,
        json=body_of(method, path, world, place, unit),
        params={"from_ms": 0, "until_ms": 1} if path.endswith("/track") else None,
        headers={"authorization": f"Bearer {world.tokens[role]}", "if-match": "*"},
    )
    what = f"{role.value} {method} {path} {where}: {answer.status_code} {answer.text[:200]}, table: {expected}"
    if (method, path) in SHOWS_WHAT_MAY_BE_SEEN:
        assert answer.status_code == 200, what
    elif where == "foreign":
        # Another agency's things are not there, whatever the role.
        assert answer.status_code in (403, 404), what
    elif expected is None:
        # 202: what must be done at once is, though the database takes its time.
        assert answer.status_code in (200, 201, 202, 204), what
    else:
        assert (answer.status_code, answer.json()["code"]) == (404 if expected in NOT_THERE else 403, expected), what
    return answer.is_success


@ON_ONE
async def test_without_a_token_every_route_says_so(world: World, app: FastAPI) -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
        for method, path, _ in routes(app):
            if path.startswith("/auth/"):
                continue
            answer = await client.request(method, re.sub(r"\{\w+\}", "420102001001001", path), json={})
            assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"


@ON_ONE
async def test_an_administrator_is_changed_only_by_the_one_who_gives_out_roles(world: World, app: FastAPI) -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    auditor = world.callers[Role.AUDIT_ADMIN]
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
        for role, status in ((Role.SYSTEM_ADMIN, 403), (Role.AUDIT_ADMIN, 403), (Role.SECURITY_ADMIN, 204)):
            answer = await client.put(
                f"/people/{auditor}/password",
                json={"password": "taken over?"},
                headers={"authorization": f"Bearer {world.tokens[role]}", "if-match": "*"},
            )
            assert answer.status_code == status
        both = await client.put(
            f"/people/{world.callers[Role.SYSTEM_ADMIN]}/roles",
            json={"roles": ["system_admin", "audit_admin"]},
            headers={"authorization": f"Bearer {world.tokens[Role.SECURITY_ADMIN]}", "if-match": "*"},
        )
        assert (both.status_code, both.json()["code"]) == (409, Refusal.CONFLICT)
        mine = await client.put(
            f"/people/{world.callers[Role.SECURITY_ADMIN]}/roles",
            json={"roles": ["leader"]},
            headers={"authorization": f"Bearer {world.tokens[Role.SECURITY_ADMIN]}", "if-match": "*"},
        )
        assert mine.status_code == 403
