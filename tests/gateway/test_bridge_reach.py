"""A dispatcher handles the cases of his own unit and of those below, and no others; a system its whole agency."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, insert, select, update

from groups.vocabulary import AgencyId, GroupId, IncidentCode, Refusal, Role, TextKind, UnitId, UserId
from poc_server.api import Services
from poc_server.bridge.bridge import Bridge
from poc_server.bridge.burst_facts import BurstFacts
from poc_server.bridge.couriers import Couriers
from poc_server.bridge.links import Links
from poc_server.bridge.materials import Gatherer
from poc_server.bridge.opened import OpenBridge
from poc_server.bridge.senders import Inbox
from poc_server.bridge.setup import load
from poc_server.ground.refused import Refused
from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.layout import FOLDER_MARK
from poc_server.store import tables, texts
from poc_server.store.bridge import incidents
from poc_server.store.bridge.incident_bursts import Recording
from poc_server.store.city import groups, units
from poc_server.store.city.groups import GroupDraft
from poc_server.store.ids import now_ms
from poc_server.store.tables import bridge as bridge_tables
from poc_server.store.texts import TextDraft
from signaling.messages import GroupPresence
from tests.fixtures.api import api_of
from tests.fixtures.people import PASSWORD, Town, found_town
from tests.gateway.told import Told

pytestmark = pytest.mark.wire
KEY = "the-case-systems-key"
SETUP = f"""
agency = "江城"

[[senders]]
id = "cases"
proof = {{ kind = "api_key", keys = ["{KEY}"] }}
"""


def test_what_a_link_opens_is_not_said_to_be_gone_while_its_disk_is_not_mounted(tmp_path: Path) -> None:
    no: Any = None
    opened = OpenBridge(no, no, no, no, no, RecordingsFolder(tmp_path), no, no)
    found = Recording("b-1", "ag", GroupId("gr-1"), "a.ogg", 1, "", 0, 0, 0)
    with pytest.raises(Refused) as refused:
        opened.file_of(found)
    assert refused.value.code is Refusal.RECORDINGS_AWAY
    (tmp_path / FOLDER_MARK).write_text("rf-1")
    assert opened.file_of(found) is None
    (tmp_path / found.file).write_bytes(b"voice")
    assert opened.file_of(found) == tmp_path / found.file


@dataclass
class Districts:
    town: Town
    client: httpx.AsyncClient
    bridge: Bridge
    east: UserId
    west: UserId
    east_group: GroupId
    west_group: GroupId

    async def headers(self, account: str) -> dict[str, str]:
        signed = await self.client.post("/auth/sign-in", json={"name": account, "password": PASSWORD})
        return {"authorization": f"Bearer {signed.json()['access_token']}"}


@pytest.fixture
async def districts(town: Town, tmp_path: Path) -> AsyncIterator[Districts]:
    store = town.store
    file = tmp_path / "bridge.toml"
    file.write_text(SETUP)
    async with store.change() as change:
        east, west = [await units.create_unit(change, town.agency, town.unit, name) for name in ("城东", "城西")]
        made = [
            await groups.create_group(change, GroupDraft(town.agency, unit, name))
            for unit, name in ((east, "东巡"), (west, "西巡"))
        ]
    await town.person(Role.DISPATCHER, account="east", password=PASSWORD, unit=east)
    await town.person(Role.DISPATCHER, account="root", password=PASSWORD)
    await town.person(Role.INTAKE, account="intake", password=PASSWORD, unit=east)
    people = [await town.person(name=name, unit=unit) for name, unit in (("东", east), ("西", west))]
    bridge = Bridge(load(file), store, Told(), batch=32, waiting_limit=200, tick_s=0.1)
    inbox, links = Inbox(bridge, store), Links(b"k", "", 60_000)
    couriers = Couriers(bridge, inbox, store, Gatherer(store, links, tmp_path), 30)
    facts = BurstFacts(bridge, store.places, town.clock)

    def presence(group: GroupId) -> GroupPresence:
        return GroupPresence(group=group, members=0, online=0, listening=0)

    opened = OpenBridge(bridge, inbox, couriers, links, store, RecordingsFolder(tmp_path), facts, presence)
    bridge.start()
    bridge.open.set()
    app = api_of(Services(store, town.auth, bridge=opened))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
        yield Districts(town, client, bridge, *people, *made)
    await opened.aclose()


def sent_to(*users: UserId) -> dict[str, Any]:
    return {"parties": [{"kind": "user", "id": user} for user in users]}


async def test_a_dispatcher_reaches_the_cases_of_his_units_and_no_others(districts: Districts) -> None:
    client, system = districts.client, {"x-api-key": KEY}
    east, root = await districts.headers("east"), await districts.headers("root")
    cases = {"E1": [districts.east], "W1": [districts.west], "B1": [districts.east, districts.west], "N1": []}
    for code, users in cases.items():
        answer = await client.put(f"/incidents/{code}", headers=system, json=sent_to(*users))
        assert answer.status_code == 200

    async def status(method: str, path: str, body: Any = None) -> int:
        return (await client.request(method, path, headers=east, json=body)).status_code

    for code, mine in (("E1", True), ("W1", False), ("B1", False), ("N1", False)):
        wanted = 200 if mine else 403
        assert await status("GET", f"/incidents/{code}") == wanted
        assert await status("GET", f"/incidents/{code}/events") == wanted
        assert await status("GET", f"/incidents/{code}/news") == wanted
        assert await status("DELETE", f"/incidents/{code}/news/0") == (404 if mine else 403)
        assert await status("POST", f"/incidents/{code}/log-link") == wanted
        assert await status("PUT", f"/incidents/{code}/links", {"group": districts.east_group}) == wanted
        assert await status("POST", f"/incidents/{code}/news", {"level": "2"}) == wanted
        assert await status("POST", f"/incidents/{code}/close") == wanted
    assert await status("PUT", "/incidents/E1/links", {"group": districts.west_group}) == 403

    listed = await client.get("/incidents", headers=east)
    assert [each["code"] for each in listed.json()] == ["E1"]
    everything = await client.get("/incidents", headers=root, params={"sort": "matters"})
    assert {each["code"] for each in everything.json()} == set(cases)
    assert await status("GET", "/incidents/nowhere") == 404


async def test_news_told_wrongly_are_taken_back_once_and_audited(districts: Districts) -> None:
    client, store, system = districts.client, districts.town.store, {"x-api-key": KEY}
    east = await districts.headers("east")

    async def tell(version: int, **news: Any) -> Any:
        told = {"version": version, **news}
        return (await client.put("/incidents/E1", headers=system, json=told)).json()

    far = 9_007_199_254_740_993  # no number of a browser
    await tell(1, **sent_to(districts.east))
    assert (await tell(far, step="close", title="错"))["incident"]["state"] == "closed"
    assert (await tell(2, step="accept"))["late"]
    listed = (await client.get("/incidents/E1/news", headers=east)).json()
    assert [(each["version"], each["step"], each["facts"]) for each in listed] == [
        (str(far), "close", ["title"]),
        ("2", "accept", []),
        ("1", None, ["parties"]),
    ]
    for status in (200, 404):
        answer = await client.delete(f"/incidents/E1/news/{far}", headers=east)
        assert answer.status_code == status, answer.text
    again = await tell(far, step="close", title="错")
    assert (again["discarded"], again["incident"]["state"], again["incident"]["version"]) == (
        "taken_back",
        "handling",
        2,
    )
    assert not (await tell(3, step="feed_back"))["late"]
    for version, status in ((2**62, 404), (2**62 + 1, 422), (-1, 422)):
        assert (await client.delete(f"/incidents/E1/news/{version}", headers=system)).status_code == status
    a = tables.audit.c
    async with store.reading() as connection:
        rows = await connection.execute(select(a.target_id, a.detail).where(a.action == "incident.take_back"))
        assert [(row.target_id, json.loads(row.detail)) for row in rows] == [("E1", {"version": str(far)})]
    # Of two with one version only the one that is named.
    for name in ("a", "b"):
        await tell(4, id=name, title=name)
    for name, status in (("c", 404), ("b", 200)):
        answer = await client.delete("/incidents/E1/news/4", headers=east, params={"id": name})
        assert answer.status_code == status, answer.text
    listed = (await client.get("/incidents/E1/news", headers=east)).json()
    assert [each["id"] for each in listed if each["version"] == "4"] == ["a"]
    # What brought a case to him from people beyond his units he does not send back to them.
    for version, user in ((1, districts.west), (2, districts.east)):
        news = {"version": version, **sent_to(user)}
        assert (await client.put("/incidents/E2", headers=system, json=news)).status_code == 200
    for headers, status in ((east, 403), (system, 200)):
        assert (await client.delete("/incidents/E2/news/2", headers=headers)).status_code == status
    assert (await client.get("/incidents/E2", headers=system)).json()["members"] == [districts.west]


async def test_what_the_bridge_could_not_take_is_told_to_its_own_agency_and_to_no_other(districts: Districts) -> None:
    client, town = districts.client, districts.town
    told = [{"code": "S1", "title": "占道", "state": "nonsense"}]
    assert (await client.post("/senders/cases/news", headers={"x-api-key": KEY}, json=told)).json()["taken"] == 0
    await town.person(Role.SYSTEM_ADMIN, account="admin", password=PASSWORD)
    other = await found_town(town.store, town.auth, town.clock, "邻市")
    await other.person(Role.SYSTEM_ADMIN, account="stranger", password=PASSWORD)
    mine, strange = await districts.headers("admin"), await districts.headers("stranger")
    (kept,) = (await client.get("/bridge/refused", headers=mine)).json()
    assert "占道" in kept["body"]
    for path in ("refused", "receivers", "polls", "receivers/cases/dead-letters"):
        assert (await client.get(f"/bridge/{path}", headers=strange)).json()["code"] == "not_found"
    assert (await client.post("/bridge/receivers/cases/replay", headers=strange)).json()["code"] == "not_found"


async def test_who_handles_no_cases_is_refused_and_kept_in_the_audit(districts: Districts) -> None:
    client, store = districts.client, districts.town.store
    officer = await districts.town.person(Role.OFFICER, account="officer", password=PASSWORD)
    assert (await client.get("/incidents", headers=await districts.headers("officer"))).status_code == 403
    await store.journal.drain()
    async with store.reading() as connection:
        kept = select(tables.audit.c.target_id).where(
            tables.audit.c.action == "refused", tables.audit.c.actor_id == officer
        )
        assert (await connection.execute(kept)).scalars().all() == [districts.town.unit]


async def test_what_was_said_in_a_group_that_is_gone_is_tied_only_by_who_reaches_its_unit(districts: Districts) -> None:
    client, store, east = districts.client, districts.town.store, await districts.headers("east")
    await client.put("/incidents/E1", headers={"x-api-key": KEY}, json=sent_to(districts.east))
    gone = {}
    for group in (districts.east_group, districts.west_group):
        found = store.directory.group(group)
        assert found is not None
        gone[found.unit] = group
    async with store.change() as change:
        for unit, group in gone.items():
            await change.connection.execute(insert(tables.burst), [said(group, districts.town.agency, unit)])
            await groups.delete_group(change, group)
    for group, wanted in ((districts.east_group, 200), (districts.west_group, 403)):
        answer = await client.post("/incidents/E1/bursts", headers=east, json={"recording": f"b-{group}"})
        assert answer.status_code == wanted, answer.text


async def test_cases_of_a_unit_that_is_no_more_are_the_agencys(districts: Districts) -> None:
    client, store = districts.client, districts.town.store
    await client.put("/incidents/W1", headers={"x-api-key": KEY}, json=sent_to(districts.west))
    async with store.change() as change:
        await groups.delete_group(change, incidents.group_of(districts.town.agency, IncidentCode("W1")))
        await change.connection.execute(update(bridge_tables.incident).values(unit_id="un-gone"))
    for account, wanted in (("root", 200), ("east", 403)):
        answer = await client.get("/incidents/W1", headers=await districts.headers(account))
        assert answer.status_code == wanted, answer.text


async def test_what_was_written_in_an_archived_case_is_read_by_who_may_replay_it(districts: Districts) -> None:
    client, store, town = districts.client, districts.town.store, districts.town
    system = {"x-api-key": KEY}
    await client.put("/incidents/E1", headers=system, json=sent_to(districts.east))
    group = incidents.group_of(town.agency, IncidentCode("E1"))
    async with store.writing() as connection:
        for number in range(3):
            text = f"第{number}句"
            draft = TextDraft(f"m{number}", districts.east, town.agency, now_ms(), TextKind.TEXT, text, group=group)
            await texts.keep(connection, draft)
    districts.bridge.options = replace(districts.bridge.options, hang_ms=0, archive_ms=0)

    async def read(headers: dict[str, str], **asked: Any) -> tuple[int, Any]:
        answer = await client.get("/incidents/E1/texts", headers=headers, params=asked)
        return answer.status_code, answer.json()

    alive = await read(system)
    await client.post("/incidents/E1/close", headers=system)
    async with asyncio.timeout(30):
        while store.directory.group(group) is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert await read(system) == alive
    east = await districts.headers("east")
    status, page = await read(east)
    assert (status, page["more"]) == (200, False)
    assert [(each["name"], each["text"]) for each in page["texts"]] == [("东", f"第{n}句") for n in range(3)]
    status, newest = await read(east, limit=2)
    assert (status, newest) == (200, {"texts": page["texts"][1:], "more": True})
    assert await read(east, limit=2, before=newest["texts"][0]["number"]) == (
        200,
        {"texts": page["texts"][:1], "more": False},
    )
    assert (await read(await districts.headers("intake")))[0] == 403, "he replays only where he is a member"
    await store.journal.drain()
    async with store.reading() as connection:
        kept = select(tables.audit.c.actor_id).where(
            tables.audit.c.action == "replay", tables.audit.c.target_id == group
        )
        assert len((await connection.execute(kept)).all()) == 5
        refused = select(func.count()).select_from(tables.audit).where(tables.audit.c.action == "refused")
        assert await connection.scalar(refused) == 1
    links = [
        (await client.post("/incidents/E1/log-link", headers=each)).status_code
        for each in (system, east, await districts.headers("intake"))
    ]
    assert links == [200, 200, 403], "who may not replay what was said makes no link that plays it"


def said(group: GroupId, agency: AgencyId, unit: UnitId) -> dict[str, Any]:
    """A row of ``burst`` without a file."""
    none = dict.fromkeys(("packets", "lost", "unrecorded", "filled_ms", "size", "tier", "priority", "duration_ms"), 0)
    times = dict.fromkeys(("id", "from_ms", "started_ms", "ended_ms", "kept_ms"), 1_000)
    words = {"user_name": "西", "node": "n1", "end_reason": "released", "file": "", "sha256": "", "peaks": b""}
    return {**none, **times, **words, "key": f"b-{group}", "group_id": group, "agency_id": agency, "unit_id": unit}


async def test_a_dispatcher_sends_cases_only_to_people_of_his_units(districts: Districts) -> None:
    client, east = districts.client, await districts.headers("east")
    for code, users, wanted in (
        ("A1", [districts.east], 200),
        ("A2", [districts.west], 403),
        ("A3", [districts.east, districts.west], 403),
        ("A4", [], 403),
    ):
        answer = await client.put(f"/incidents/{code}", headers=east, json=sent_to(*users))
        assert answer.status_code == wanted, code
        assert (await client.get(f"/incidents/{code}", headers={"x-api-key": KEY})).status_code == (
            200 if wanted == 200 else 404
        )
    # He may not hand one of his own to people beyond his units either; a system may.
    again = sent_to(districts.west)
    assert (await client.put("/incidents/A1", headers=east, json=again)).status_code == 403
    moved = await client.put("/incidents/A1", headers={"x-api-key": KEY}, json=again)
    assert moved.json()["incident"]["members"] == [districts.west]
    assert (await client.get("/incidents/A1", headers=east)).status_code == 403
