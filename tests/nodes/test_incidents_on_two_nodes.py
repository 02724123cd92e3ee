"""A case that one node takes reaches the phones of all: told, switched where that disturbs nobody, and recorded."""

from __future__ import annotations

import asyncio
import io
import time
import zipfile
from typing import Any

import httpx
import pytest

from signaling.messages import IncidentChanged, Missed, Switched
from tests.nodes.patrol import patrol
from tests.recording.voices import SAMPLES as FRAME_SAMPLES
from tests.recording.voices import hear
from tests.support.city import City
from tests.support.handsets import Handset, Handsets

pytestmark = pytest.mark.wire
WITHIN_S = 30


async def eventually(asked: Any, true: Any) -> Any:
    """What ``asked`` answers once it is so."""
    async with asyncio.timeout(WITHIN_S):
        while not true(found := await asked()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found


async def holding(phone: Handset, group: str) -> None:
    """Until the phone has the floor; the key stays down."""
    press = phone.press_key(group)
    async with asyncio.timeout(WITHIN_S):
        await press.settled
    assert press.burst is not None, press.cause


async def test_a_case_that_one_node_took_is_on_the_phones_of_the_other(city: City, street: Handsets) -> None:
    group, (near, far, talker) = await patrol(street, 0, 1, 1)
    await holding(talker, group)
    api = [httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=WITHIN_S) for port in city.own_ports]
    dispatcher = next(p for p in (await api[0].get("/demo/people")).json() if "dispatcher" in p["roles"])
    token = (await api[0].post(f"/demo/people/{dispatcher['id']}/step-in", json={})).json()["access_token"]
    for client in api:
        client.headers["authorization"] = f"Bearer {token}"
    code = f"E{time.time_ns()}"
    parties = [{"kind": "user", "id": phone.user} for phone in (near, far, talker)]
    told = await api[0].put(f"/incidents/{code}", json={"title": "路面塌陷", "urgent": True, "parties": parties})
    assert told.status_code == 200, told.text

    async def news(phone: Handset) -> str:
        while True:
            changed = await phone.told(IncidentChanged)
            if changed.incident.code == code and changed.incident.group is not None:
                return str(changed.incident.group.id)

    address = await news(near)
    assert [await news(phone) for phone in (far, talker)] == [address, address]
    for phone in (near, far):
        switched = await phone.told(Switched)
        assert (switched.incident, switched.back, switched.group.id) == (code, group, address)
    await far.say(address, frames=10)
    await near.until_packets(5)
    assert not any(isinstance(message, Switched) for message in talker.inbox), "one who talks is left where he is"
    talker.release_key()

    async def recordings() -> Any:
        return (await api[0].get("/recordings", params={"incident": code})).json()["recordings"]

    (row,) = await eventually(recordings, bool)
    assert (row["group"], row["talker"]["id"], row["node"]) == (address, far.user, "node-2")
    await exported_here_and_fetched_there(api, code)
    for client in api:
        await client.aclose()


async def exported_here_and_fetched_there(api: list[httpx.AsyncClient], code: str) -> None:
    """A browser's next request may reach any node."""
    leader = next(p for p in (await api[0].get("/demo/people")).json() if "shift_leader" in p["roles"])
    token = (await api[0].post(f"/demo/people/{leader['id']}/step-in", json={})).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    made = (await api[0].post("/exports", json={"search": {"incident": code}}, headers=headers)).json()

    async def there() -> Any:
        return (await api[1].get(f"/exports/{made['id']}", headers=headers)).json()

    ready = await eventually(there, lambda export: export.get("state") != "making")
    assert (ready.get("state"), ready.get("recordings")) == ("ready", 1), ready
    fetched = await api[1].get(f"/exports/{made['id']}/file", headers=headers)
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as archive:
        assert any(name.endswith(".ogg") for name in archive.namelist())


async def test_who_comes_late_on_another_node_hears_the_burst_from_its_start(city: City, street: Handsets) -> None:
    group, (talker, late, away) = await patrol(street, 1, 0, 0)
    await holding(talker, group)
    said = asyncio.create_task(talker.utter(100))
    await late.until_packets(30)
    headers = {"authorization": f"Bearer {late.identity.token}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{city.own_ports[0]}/api/v1", headers=headers) as client:
        answer = await client.get(f"/groups/{group}/on-air/audio", timeout=WITHIN_S)
        assert answer.status_code == 200, answer.text
        assert hear(answer.content).plays >= 30 * FRAME_SAMPLES
        await said
        talker.release_key()

        async def on_air() -> int:
            path = f"/groups/{group}/on-air/audio"
            return (await client.get(path, timeout=WITHIN_S)).status_code

        await eventually(on_air, lambda status: status == 404)
    # Who left one node is told by another what he missed since, and nothing of what he heard before.
    away.close()
    await asyncio.sleep(1.5)  # how long he is away
    await talker.say(group, frames=25)
    back = await street.connect(away.identity, node=1)
    async with asyncio.timeout(WITHIN_S):
        missed = await back.told(Missed)
    assert [(each.group, each.talker, each.bursts) for each in missed.by] == [(group, talker.user, 1)]
