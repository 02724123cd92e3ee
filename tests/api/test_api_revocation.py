"""Whoever is thrown out loses his live connection within a second: on a real server, over a real WebSocket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from groups.vocabulary import Role
from signaling.client import Client
from tests.support.city import City, running_city

pytestmark = pytest.mark.wire
WITHIN_S = 1.0


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


async def until_gone(client: Client) -> None:
    """Return when the server has said goodbye and closed."""
    async with asyncio.timeout(10):
        async for _ in client.events():
            pass
    await client.aclose()


async def test_every_way_of_throwing_somebody_out_closes_his_connection(city: City) -> None:
    async with httpx.AsyncClient(base_url=f"{city.url}/api/v1", timeout=20) as http:
        office = Office(city, http)
        system, security = [await office.step_in(role) for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)]
        took: dict[str, float] = {}
        for number, way in enumerate(("signs out", "session ended", "user disabled", "password changed", "deleted"), 3):
            officer = await office.step_in(Role.OFFICER, number)
            user = officer["user"]["id"]
            phone = await office.connect(officer)
            watching = asyncio.create_task(until_gone(phone))
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
            began = time.monotonic()
            await watching
            took[way] = time.monotonic() - began
        assert {way: seconds for way, seconds in took.items() if seconds > WITHIN_S} == {}


async def test_a_device_disabled_at_a_distance_falls_silent_and_stays_out(city: City) -> None:
    async with httpx.AsyncClient(base_url=f"{city.url}/api/v1", timeout=20) as http:
        office = Office(city, http)
        system, security = [await office.step_in(role) for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)]
        officer = await office.step_in(Role.OFFICER, 9)
        user = officer["user"]["id"]
        code = (await office.ask(system, "POST", f"/people/{user}/enrolments", device="手机")).json()["code"]
        enrolled = (await http.post("/auth/enrol", json={"code": code})).json()
        phone = await office.connect(enrolled)
        watching = asyncio.create_task(until_gone(phone))
        (device,) = (await office.ask(security, "GET", f"/devices?user={user}")).json()["items"]
        await office.ask(security, "POST", f"/devices/{device['id']}/disable")
        began = time.monotonic()
        await watching
        assert time.monotonic() - began < WITHIN_S
        refused = await http.post("/auth/refresh", json={"refresh_token": enrolled["refresh_token"]})
        assert refused.json()["code"] in ("bad_token", "disabled")
