"""Whoever is thrown out has no live connection any more when that is answered: on a real server and WebSocket.

That is the order of events, and no time: on two nodes tests/nodes/test_two_nodes.py judges the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from groups.vocabulary import Role
from signaling.client import Client, Disconnected
from signaling.messages import Select
from tests.support.city import City, running_city

pytestmark = pytest.mark.wire


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with running_city(tmp_path_factory.mktemp("revocation") / "data") as made:
        yield made


class Office:
    """People of the demo city over HTTP."""

    def __init__(self, city: City, client: httpx.AsyncClient) -> None:
        self._city, self.client = city, client
        self._people: list[dict[str, Any]] = []

    async def step_in(self, role: Role, number: int = 0) -> dict[str, Any]:
        people = (await self.client.get("/demo/people")).json()
        chosen = [person for person in people if person["roles"] == [role]][number]
        signed: dict[str, Any] = (await self.client.post(f"/demo/people/{chosen['id']}/step-in")).json()
        return signed

    async def connect(self, signed: dict[str, Any]) -> Client:
        return await Client.connect(self._city.url.replace("http", "ws") + "/ws", signed["access_token"])

    async def ask(self, who: dict[str, Any], method: str, path: str, **body: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {who['access_token']}", "if-match": "*"}
        answer = await self.client.request(method, path, headers=headers, json=body or None)
        assert answer.is_success, answer.text
        return answer


async def is_out(client: Client) -> bool:
    """Whether what is asked now is not answered any more: the server has closed. Waits until it has."""
    try:
        await client.request(Select(id=client.next_id(), group=client.welcome.groups[0].id))
    except Disconnected:
        return True
    finally:
        async with asyncio.timeout(10):
            async for _ in client.events():
                pass
        await client.aclose()
    return False


async def test_every_way_of_throwing_somebody_out_closes_his_connection(city: City) -> None:
    async with httpx.AsyncClient(base_url=f"{city.url}/api/v1", timeout=20) as http:
        office = Office(city, http)
        system, security = [await office.step_in(role) for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)]
        out: dict[str, bool] = {}
        for number, way in enumerate(("signs out", "session ended", "user disabled", "password changed", "deleted"), 3):
            officer = await office.step_in(Role.OFFICER, number)
            user = officer["user"]["id"]
            phone = await office.connect(officer)
            if way == "signs out":
                await office.ask(officer, "POST", "/auth/sign-out", refresh_token=officer["refresh_token"])
            elif way == "session ended":
                (session,) = (await office.ask(security, "GET", f"/sessions?user={user}")).json()["items"]
                await office.ask(security, "DELETE", f"/sessions/{session['id']}")
            elif way == "user disabled":
                person = (await office.ask(system, "GET", f"/people/{user}")).json()
                body = {"name": person["name"], "unit": person["unit"], "enabled": False}
                await office.ask(system, "PUT", f"/people/{user}", **body)
            elif way == "password changed":
                await office.ask(system, "PUT", f"/people/{user}/password", password="a new password")
            else:
                await office.ask(system, "DELETE", f"/people/{user}")
            out[way] = await is_out(phone)
        assert out == dict.fromkeys(out, True)


async def test_a_device_disabled_at_a_distance_falls_silent_and_stays_out(city: City) -> None:
    async with httpx.AsyncClient(base_url=f"{city.url}/api/v1", timeout=20) as http:
        office = Office(city, http)
        system, security = [await office.step_in(role) for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)]
        officer = await office.step_in(Role.OFFICER, 9)
        user = officer["user"]["id"]
        code = (await office.ask(system, "POST", f"/people/{user}/enrolments", device="手机")).json()["code"]
        enrolled = (await http.post("/auth/enrol", json={"code": code})).json()
        phone = await office.connect(enrolled)
        (device,) = (await office.ask(security, "GET", f"/devices?user={user}")).json()["items"]
        await office.ask(security, "POST", f"/devices/{device['id']}/disable")
        assert await is_out(phone)
        refused = await http.post("/auth/refresh", json={"refresh_token": enrolled["refresh_token"]})
        assert refused.json()["code"] in ("bad_token", "disabled")
