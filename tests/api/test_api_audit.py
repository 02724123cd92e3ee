"""The audit over HTTP: who did what to whom, from where and when, and who was refused; on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from groups.vocabulary import GroupId, Role, UserId
from poc_server.store import Actor, audit, audit_pages
from poc_server.store.audit_pages import AuditFilter
from tests.fixtures.people import Town, found_town

pytestmark = pytest.mark.wire
Headers = dict[str, str]


async def signed_in(town: Town, role: Role, name: str) -> Headers:
    signed = await town.auth.start_session(await town.person(role, name=name), "demo")
    return {"authorization": f"Bearer {signed.access_token}"}


async def entries(client: httpx.AsyncClient, headers: Headers, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get("/audit", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_the_audit_tells_who_did_what_from_where_and_who_was_refused(
    client: httpx.AsyncClient, town: Town
) -> None:
    system, auditor = await signed_in(town, Role.SYSTEM_ADMIN, "系管"), await signed_in(town, Role.AUDIT_ADMIN, "审计")
    made = await client.post("/people", json={"name": "新人", "unit": town.unit}, headers=system)
    await client.get("/audit", headers=system)
    await town.store.journal.drain()
    (created,) = await entries(client, auditor, action="user.create", target=made.json()["id"])
    assert (created["actor_name"], created["target_name"], created["address"]) == ("系管", "新人", "192.0.2.1")
    assert (created["refused"], created["reason"]) == (False, None)
    assert created["names"][town.unit] == "市"
    (refused,) = await entries(client, auditor, refused=True)
    assert (refused["action"], refused["refused"], refused["reason"]) == ("read_audit", True, "not_allowed")
    assert refused["actor_name"] == "系管"
    assert (await client.get("/audit/check", headers=auditor)).json()["whole"] is True


async def test_the_audit_goes_on_page_by_page_and_misses_nothing(client: httpx.AsyncClient, town: Town) -> None:
    auditor = await signed_in(town, Role.AUDIT_ADMIN, "审计")
    for n in range(5):
        await town.person(name=f"{n}")
    newest = (await entries(client, auditor, limit=1))[0]["seq"]
    seen: list[int] = []
    after = ""
    while after is not None:
        page = (await client.get("/audit", params={"limit": 2, "after": after}, headers=auditor)).json()
        seen += [item["seq"] for item in page["items"]]
        after = page.get("next")
    own = [seq for seq in seen if seq <= newest]
    assert own == sorted(set(own), reverse=True)
    assert len(own) >= 7


async def test_the_audit_is_searched_by_name_initials_act_and_refusal(client: httpx.AsyncClient, town: Town) -> None:
    system, auditor = (
        await signed_in(town, Role.SYSTEM_ADMIN, "李管理"),
        await signed_in(town, Role.AUDIT_ADMIN, "审计"),
    )
    security = await signed_in(town, Role.SECURITY_ADMIN, "安全")
    user = await town.person(name="王建国")
    for role, who in (("dispatcher", security), ("leader", system)):
        await client.put(f"/people/{user}/roles", json={"roles": [role]}, headers={**who, "if-match": "*"})
    await client.post("/units", json={"name": "50%_街道"}, headers=system)
    await town.store.journal.drain()

    async def found(**asked: Any) -> set[tuple[str, str | None, bool]]:
        items = await entries(client, auditor, **asked)
        return {(each["action"], each["actor_name"], each["refused"]) for each in items}

    done, tried = ("user.roles", "安全", False), ("assign_roles", "李管理", True)
    assert await found(about="wjg") == {("user.create", None, False), done, tried}
    assert await found(about="王建国", who="lgl") == {tried}
    assert await found(action="user.roles") == {done}
    assert await found(action="assign_roles") == {tried}
    assert await found(who="lgl", refused=False) == {("sign_in", "李管理", False), ("unit.create", "李管理", False)}
    assert await found(about="50%_") == {("unit.create", "李管理", False)}
    assert await found(about="50__") == set()  # a wildcard is a letter like any other
    for text in ("'; DROP TABLE audit; --", "<script>", "𠀀", "\\"):
        assert await found(who=text, about=text) == set()
    assert len(await found(who="\x00")) > 3  # what remains of it asks for nothing
    assert (await client.get("/audit", params={"who": "a" * 65}, headers=auditor)).status_code == 422


async def test_one_question_looks_back_so_far_and_says_so_and_the_next_goes_on(town: Town) -> None:
    start = town.clock() + 60_000
    for at_ms, account in ((start, "稀"), *((start + 1_000 + n, "常") for n in range(10))):
        town.store.journal.audit(audit.entry(Actor(), at_ms, "sign_in", "account", account, {}, town.agency))
    await town.store.journal.drain()
    rare = AuditFilter(town.agency, about="稀", from_ms=start)
    async with town.store.reading() as connection:
        whole = await audit_pages.page(connection, rare, look=11)
        assert ([row.target_id for row in whole.rows], whole.before_seq, whole.searched_ms) == (["稀"], None, None)
        first = await audit_pages.page(connection, rare, look=10)
        assert (first.rows, first.searched_ms) == ([], start + 1_000)
        rest = await audit_pages.page(connection, rare, look=10, before_seq=first.before_seq)
        assert ([row.target_id for row in rest.rows], rest.before_seq, rest.searched_ms) == (["稀"], None, None)
        often = await audit_pages.page(connection, AuditFilter(town.agency, about="常"), look=10, limit=3)
        assert (len(often.rows), often.before_seq, often.searched_ms) == (3, often.rows[-1].seq, None)


async def test_a_guessed_id_does_not_come_back_with_a_name_of_another_agency(
    client: httpx.AsyncClient, town: Town
) -> None:
    other = await found_town(town.store, town.auth, town.clock, "邻市")
    stranger = await other.person(name="外人")
    system, auditor = await signed_in(town, Role.SYSTEM_ADMIN, "系管"), await signed_in(town, Role.AUDIT_ADMIN, "审计")
    assert (await client.put(f"/people/{stranger}/ban", json={"banned": True}, headers=system)).status_code == 404
    await town.store.journal.drain()
    (tried,) = await entries(client, auditor, target=stranger)
    assert (tried["action"], tried["reason"], tried["target_name"]) == ("ban", "unknown_user", None)
    assert UserId(stranger) not in tried["names"]
    assert await entries(client, auditor, about="外人") == []


async def test_the_audit_is_read_though_somebody_it_names_is_in_a_group_that_has_left_the_directory(
    client: httpx.AsyncClient, town: Town
) -> None:
    stranger = await (await found_town(town.store, town.auth, town.clock, "邻市")).person(name="外人")
    system, auditor = await signed_in(town, Role.SYSTEM_ADMIN, "系管"), await signed_in(town, Role.AUDIT_ADMIN, "审计")
    await client.put(f"/people/{stranger}/ban", json={"banned": True}, headers=system)
    await town.store.journal.drain()
    gone = {stranger: frozenset({GroupId("in-archived")})}
    town.store.directory.replace(replace(town.store.directory.snapshot, groups_by_user=gone))
    (tried,) = await entries(client, auditor, target=stranger)
    assert tried["target_name"] is None


async def test_whatever_an_entry_names_can_be_asked_for_by_that(client: httpx.AsyncClient, town: Town) -> None:
    auditor = await signed_in(town, Role.AUDIT_ADMIN, "审计")
    for account in ("王 建国", "长" * 128):  # as typed at a sign-in that failed
        tried = audit.entry(
            Actor(address="192.0.2.9"), town.clock(), "sign_in.refused", "account", account, {}, town.agency
        )
        town.store.journal.audit(tried)
        await town.store.journal.drain()
        assert [each["address"] for each in await entries(client, auditor, target=account)] == ["192.0.2.9"]
    for text in ("", "长" * 129, "a\x00b", "a\nb"):
        assert (await client.get("/audit", params={"target": text}, headers=auditor)).status_code == 422


async def test_what_is_written_while_the_seals_are_checked_is_no_tampering(
    client: httpx.AsyncClient, town: Town
) -> None:
    auditor = await signed_in(town, Role.AUDIT_ADMIN, "审计")
    checked = False

    async def write() -> None:
        while not checked:
            async with town.store.writing() as connection:
                await audit.append(connection, [audit.entry(Actor(), town.clock(), "x", "none", "x")])

    writing = asyncio.create_task(write())
    whole = [(await client.get("/audit/check", headers=auditor)).json()["whole"] for _ in range(20)]
    checked = True
    await writing
    assert whole == [True] * 20
