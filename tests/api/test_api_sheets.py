"""CSV in and out: the dry run says what would change, a file with mistakes changes nothing, voice is not held up."""

from __future__ import annotations

import asyncio
import itertools
import time

import httpx
import pytest

from groups.vocabulary import Role
from poc_server.store.sheets.text import MAX_LINES
from tests.fixtures.people import Town, found_town

pytestmark = pytest.mark.wire
HEADING = "account,badge,name,kind,unit,phone,enabled\n"


async def login(town: Town, *roles: Role) -> dict[str, str]:
    signed = await town.auth.start_session(await town.person(*roles, name="管理员"), "demo")
    return {"authorization": f"Bearer {signed.access_token}"}


async def post(
    client: httpx.AsyncClient, kind: str, text: str | bytes, headers: dict[str, str], dry_run: bool = False
) -> httpx.Response:
    content = text.encode() if isinstance(text, str) else text
    params = {"dry_run": str(dry_run).lower()}
    return await client.post(
        f"/sheets/{kind}", content=content, params=params, headers={**headers, "content-type": "text/csv"}
    )


async def test_a_dry_run_says_what_would_change_and_changes_nothing(client: httpx.AsyncClient, town: Town) -> None:
    admin = await login(town, Role.SYSTEM_ADMIN)
    await town.person(name="王建国", account="wang")
    text = HEADING + "wang,,王建军,,市,,\nli,D-2,李梅,person,市,138,1\n"
    before = town.store.directory.version
    said = (await post(client, "people", text, admin, dry_run=True)).json()
    assert (said["applied"], said["create"], said["update"], said["wrong"]) == (False, 1, 1, 0)
    assert said["changes"][0]["differences"] == {"name": ["王建国", "王建军"]}
    assert town.store.directory.version == before
    done = (await post(client, "people", text, admin)).json()
    assert (done["applied"], done["changes"]) == (True, said["changes"])
    again = (await post(client, "people", text, admin)).json()
    assert (again["create"], again["update"], again["unchanged"]) == (0, 0, 2)
    assert (await client.get("/people", params={"q": "lm"}, headers=admin)).json()["items"][0]["phone"] == "138"


async def test_ten_thousand_lines_with_mistakes_in_the_middle_change_nothing(
    client: httpx.AsyncClient, town: Town
) -> None:
    admin = await login(town, Role.SYSTEM_ADMIN)
    rows = [f"u{n},B-{n},王{n},person,市,,1" for n in range(10_000)]
    rows[4_000] = "u4000,,王,person,不存在,,1"
    rows[5_000] = "u10,,重复,person,市,,1"
    rows[5_001] = "x,,王,plane,市,,1"
    rows[5_002] = ",,王,person,市,,1"
    rows[5_003] = "y,,,person,市,,1"
    rows[5_004] = "z,,王,person,市,,maybe"
    text = HEADING + "\n".join(rows)
    said = (await post(client, "people", text, admin)).json()
    assert (said["applied"], said["create"], said["wrong"]) == (False, 9_994, 6)
    assert [(each["line"], each["column"], each["problem"]) for each in said["mistakes"]] == [
        (4_002, "unit", "unknown"),
        (5_002, "account", "taken"),
        (5_003, "kind", "bad_value"),
        (5_004, "account", "missing"),
        (5_005, "name", "missing"),
        (5_006, "enabled", "bad_value"),
    ]
    assert len(town.store.directory.snapshot.users) == 1


async def test_an_import_of_thousands_does_not_hold_up_the_loop(client: httpx.AsyncClient, town: Town) -> None:
    admin = await login(town, Role.SYSTEM_ADMIN)
    text = HEADING + "\n".join(f"u{n},B-{n},王建国{n},person,市,,1" for n in range(3_000))
    longest = 0.0
    done = False

    async def watch() -> None:
        """The loop's own work between two turns, in seconds of this thread: other processes do not count."""
        nonlocal longest
        last = time.thread_time()
        while not done:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last = max(longest, now - last), now

    watching = asyncio.create_task(watch())
    said = (await post(client, "people", text, admin)).json()
    done = True
    await watching
    assert (said["applied"], said["create"]) == (True, 3_000)
    assert len(town.store.directory.snapshot.users) == 3_001
    assert longest < 0.5, "in one piece it is seconds"


async def test_what_is_exported_is_imported_unchanged(client: httpx.AsyncClient, town: Town) -> None:
    admin, security = await login(town, Role.SYSTEM_ADMIN), await login(town, Role.SECURITY_ADMIN)
    await post(client, "units", "unit\n市/城东区\n市/城西区/一队\n", admin)
    people = HEADING + 'wang,D-1,"王,建国",person,市/城东区,,1\n'
    people += "'=cmd|x,,=HYPERLINK(1),vehicle,市/城西区/一队,+86,0\n"
    assert (await post(client, "people", people, admin)).json()["applied"]
    made = await client.post("/groups", json={"name": "一组", "unit": town.unit}, headers=admin)
    assert made.status_code == 201
    members = "group,account,talk,preempt,priority\n一组,wang,0,1,200\n"
    cells = "code,name,unit,account,outline,datum\n420102001001001,一格,市/城东区,wang,114.3 30.6;114.4 30.6,GCJ-02\n"
    assert (await post(client, "members", members, admin)).json()["create"] == 1
    assert (await post(client, "cells", cells, admin)).json()["create"] == 1
    assert (await post(client, "roles", "account,roles\nwang,officer handler\n", security)).json()["update"] == 1
    for kind, who in (("people", admin), ("units", admin), ("members", admin), ("cells", admin), ("roles", security)):
        out = await client.get(f"/sheets/{kind}", headers=who)
        assert out.headers["content-type"] == "text/csv; charset=utf-8"
        assert out.content.startswith(b"\xef\xbb\xbf")
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in out.text.replace("\r\n", ",").split(","))
        back = (await post(client, kind, out.content, who)).json()
        assert (back["create"], back["update"], back["wrong"]) == (0, 0, 0), (kind, back)
        assert back["unchanged"] >= 1


async def test_duty_comes_from_a_file_after_a_dry_run(client: httpx.AsyncClient, town: Town) -> None:
    admin = await login(town, Role.SYSTEM_ADMIN)
    await post(client, "units", "unit\n市/一队\n", admin)
    await post(client, "people", HEADING + "wang,D-1,王,,市/一队,,\n,D-2,李,,市/一队,,\n", admin)
    heading = "unit,name,starts,ends,people\n"
    night = "市/一队,夜班,2099-07-15 20:00,2099-07-16T08:00:00+08:00,wang;D-2\n"
    dry = await client.post("/sheets/duty", content=heading + night, headers=admin)
    assert (dry.json()["create"], dry.json()["applied"]) == (1, False)
    assert not town.store.directory.snapshot.shifts
    assert (await post(client, "duty", heading + night, admin)).json()["applied"]
    [shift] = town.store.directory.snapshot.shifts.values()
    assert (shift.name, shift.ends_ms - shift.starts_ms, len(shift.users)) == ("夜班", 12 * 3_600_000, 2)
    out = await client.get("/sheets/duty", headers=admin)
    assert (await post(client, "duty", out.content, admin)).json()["unchanged"] == 1
    changed = await post(client, "duty", heading + night.replace("wang;D-2", "D-2"), admin)
    assert changed.json()["update"] == 1
    [shift] = town.store.directory.snapshot.shifts.values()
    assert len(shift.users) == 1
    wrong = [
        ("市/二队,夜班,2099-07-15 20:00,2099-07-16 08:00,wang\n", "unknown"),
        ("市/一队,夜班,2099-07-15 20:00,2099-07-15 08:00,wang\n", "bad_value"),
        ("市/一队,夜班,2099-07-15 20:00,2099-07-25 08:00,wang\n", "bad_value"),
        ("市/一队,夜班,tomorrow,2099-07-25 08:00,wang\n", "bad_value"),
        ("市/一队,夜班,2001-07-15 20:00,2001-07-16 08:00,wang\n", "bad_value"),
        ("市/一队,夜班,2099-07-15 20:00,2099-07-16 08:00,nobody\n", "unknown"),
    ]
    for line, problem in wrong:
        said = (await post(client, "duty", heading + line, admin)).json()
        assert [each["problem"] for each in said["mistakes"]] == [problem], line


async def test_files_that_are_no_table_are_refused(client: httpx.AsyncClient, town: Town) -> None:
    admin = await login(town, Role.SYSTEM_ADMIN)
    bad: list[bytes] = [
        b"",
        b"name\nx\n",
        b"account,name,unit,password\nx,y,z,w\n",
        b"account,name,name,unit\n",
        b"\x00" * 100,
        b"\xff\xfe\xfd\x81",
        b"PK\x03\x04" + bytes(range(256)),
        b'account,name,unit\n"unclosed',
        b"account,name,unit\n" + b"x" * 3_000 + b",y,z\n",
        b"account,name,unit\na,b,c,d\n",
        b"account,name,unit\n" + b"a,b,c\n" * (MAX_LINES + 1),
    ]
    for data in bad:
        answer = await post(client, "people", data, admin)
        assert answer.status_code == 422, data[:40]
    large = await post(client, "people", b"account,name,unit\n" + b"a" * 5_000_001, admin)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    chinese = (HEADING + "li,,李梅,,市,,\n").encode("gb18030")
    assert (await post(client, "people", chinese, admin)).json()["create"] == 1


async def test_a_file_can_do_no_more_than_who_brings_it(client: httpx.AsyncClient, town: Town) -> None:
    system, security = await login(town, Role.SYSTEM_ADMIN), await login(town, Role.SECURITY_ADMIN)
    other = await found_town(town.store, town.auth, town.clock, "邻市")
    await other.person(name="外人", account="stranger")
    await town.person(Role.AUDIT_ADMIN, name="审计", account="auditor")
    await town.person(name="王", account="wang")
    officer = await login(town, Role.OFFICER)
    for kind, who in itertools.product(("people", "roles", "units", "members", "cells", "duty"), (officer, {})):
        answer = await post(client, kind, "account,name,unit\n", who)
        assert answer.status_code in (401, 403)
    assert (await post(client, "roles", "account,roles\n", system)).status_code == 403
    assert (await post(client, "people", HEADING, security)).status_code == 403
    said = (await post(client, "people", HEADING + "auditor,,改名,,市,,\nstranger,,x,,市,,\n", system)).json()
    assert [each["problem"] for each in said["mistakes"]] == ["not_allowed", "taken"]
    roles = "account,roles\nwang,system_admin audit_admin\nstranger,officer\nwang,pilot\n"
    said = (await post(client, "roles", roles, security)).json()
    assert [each["problem"] for each in said["mistakes"]] == ["not_allowed", "taken", "bad_value"]
