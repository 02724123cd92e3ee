"""Signing in over HTTP, and what every refusal looks like."""

from __future__ import annotations

import httpx
import pytest

from groups.vocabulary import Role
from poc_server.api import Services
from poc_server.store import SYSTEM
from tests.fixtures.api import api_of
from tests.fixtures.people import PASSWORD, Town

pytestmark = pytest.mark.wire


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_sign_in_me_refresh_sign_out(client: httpx.AsyncClient, town: Town) -> None:
    user = await town.person(Role.LEADER, account="wang", password=PASSWORD)
    signed = (await client.post("/auth/sign-in", json={"name": "wang", "password": PASSWORD})).json()
    assert signed["user"] == {"id": user, "name": "王建国", "badge": "", "roles": ["leader"]}
    me = await client.get("/me", headers=bearer(signed["access_token"]))
    assert (me.status_code, me.json()["agency"]["name"], me.json()["units"][0]["name"]) == (200, "江城", "市")
    renewed = (await client.post("/auth/refresh", json={"refresh_token": signed["refresh_token"]})).json()
    out = await client.post("/auth/sign-out", json={}, headers=bearer(renewed["access_token"]))
    assert (out.status_code, out.content) == (204, b"")
    refused = await client.get("/me", headers=bearer(renewed["access_token"]))
    assert (refused.status_code, refused.json()["code"]) == (401, "bad_token")


async def test_a_browser_keeps_that_somebody_signed_in_there_and_strangers_do_not_lock_him_out(
    client: httpx.AsyncClient, town: Town
) -> None:
    await town.person(account="wang", password=PASSWORD)
    right, wrong = {"name": "wang", "password": PASSWORD}, {"name": "wang", "password": "guess"}
    signed = await client.post("/auth/sign-in", json=right)
    kept = signed.headers["set-cookie"]
    assert all(word in kept for word in ("HttpOnly", "SameSite=strict", "Path=/api/v1/auth;", "Max-Age=34560000"))
    assert "Secure" not in kept, "it came by HTTP"
    renewed = await client.post("/auth/refresh", json={"refresh_token": signed.json()["refresh_token"]})
    mark = renewed.cookies["poc_known"]
    client.cookies.clear()
    codes = [(await client.post("/auth/sign-in", json=wrong)).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429], "as a stranger, and then at the address where he has been"
    client.cookies.set("poc_known", "nonsense")
    assert (await client.post("/auth/sign-in", json=right)).status_code == 429
    client.cookies.set("poc_known", mark)
    assert (await client.post("/auth/sign-in", json=right)).status_code == 200


async def test_an_enrolment_link_is_spent_by_post_only(client: httpx.AsyncClient, town: Town) -> None:
    code, _ = await town.auth.invite(SYSTEM, await town.person())
    assert (await client.get(f"/auth/enrol?code={code}")).status_code == 405
    assert (await client.post("/auth/enrol", json={"code": code, "device": "手机"})).status_code == 200
    again = await client.post("/auth/enrol", json={"code": code})
    assert (again.status_code, again.json()["code"]) == (410, "enrolment_spent")


async def test_refusals_are_problems_in_the_callers_language(client: httpx.AsyncClient) -> None:
    for language, title in (("zh-CN", "请先登录"), ("en-GB", "Please sign in first"), ("", "请先登录")):
        answer = await client.get("/me", headers={"accept-language": language})
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() == {
            "type": "urn:poc-server:not_signed_in",
            "title": title,
            "status": 401,
            "code": "not_signed_in",
            "detail": "",
            "errors": [],
        }


BAD_BODIES: list[tuple[bytes, int]] = [
    (b"", 422),
    (b"{", 422),
    (b"[]", 422),
    (b'{"name": "a"}', 422),
    (b'{"name": "a", "password": ""}', 422),
    (b'{"name": "a", "password": "hunter2secret", "more": 1}', 422),
    (b'{"name": "' + b"a" * 129 + b'", "password": "hunter2secret"}', 422),
    (b'{"name": "\\ud800", "password": "hunter2secret"}', 422),
    (b'{"name": "\\u0000", "password": "hunter2secret"}', 401),
    (b"\xff\xfe", 422),
    (b"[" * 100_000, 400),
    (b'{"name": "' + b"a" * 300_000 + b'"}', 413),
]


async def test_bad_bodies_are_refused_and_not_repeated(client: httpx.AsyncClient) -> None:
    for body, status in BAD_BODIES:
        answer = await client.post("/auth/sign-in", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == status, body[:60]
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert "hunter2" not in answer.text


async def test_too_many_guesses_are_told_when_to_come_back(client: httpx.AsyncClient, town: Town) -> None:
    await town.person(account="wang", password=PASSWORD)
    for _ in range(5):
        await client.post("/auth/sign-in", json={"name": "wang", "password": "wrong"})
    answer = await client.post("/auth/sign-in", json={"name": "wang", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (429, "sign_in_limit", "1")


async def test_the_demo_is_there_only_when_it_is_meant_to_be(client: httpx.AsyncClient, town: Town) -> None:
    user = await town.person()
    assert [each["id"] for each in (await client.get("/demo/people")).json()] == [user]
    stepped = await client.post(f"/demo/people/{user}/step-in")
    assert (await client.get("/me", headers=bearer(stepped.json()["access_token"]))).json()["user"]["id"] == user
    assert (await client.post("/demo/people/nobody/step-in")).status_code == 404
    production = httpx.ASGITransport(api_of(Services(town.store, town.auth)))
    async with httpx.AsyncClient(transport=production, base_url="http://test/api/v1") as other:
        assert (await other.get("/demo/people")).json()["code"] == "not_found"
        assert (await other.post(f"/demo/people/{user}/step-in")).status_code == 404


async def test_one_changes_his_own_password_with_the_old_one(client: httpx.AsyncClient, town: Town) -> None:
    await town.person(account="wang", password=PASSWORD)
    signed = (await client.post("/auth/sign-in", json={"name": "wang", "password": PASSWORD})).json()
    mine = bearer(signed["access_token"])
    for old, new, status in (
        ("wrong", "a new password", 401),
        (PASSWORD, "short", 422),
        (PASSWORD, "a new password", 204),
    ):
        answer = await client.put("/me/password", json={"old": old, "new": new}, headers=mine)
        assert answer.status_code == status
    assert (await client.get("/me", headers=mine)).status_code == 401
    again = await client.post("/auth/sign-in", json={"name": "wang", "password": "a new password"})
    assert again.status_code == 200
    me = (await client.get("/me", headers=bearer(again.json()["access_token"]))).json()
    assert ("talk" in me["rights"], me["on_duty"]) == (True, True)
