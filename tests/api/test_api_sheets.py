"""CSV in and out: the dry run says what would change, a file with mistakes changes nothing, voice is not held up."""

from __future__ import annotations

import csv
import itertools
from typing import Any

import httpx
import pytest

from groups.vocabulary import GroupKind, Role
from poc_server.store.city import groups, sessions
from poc_server.store.city.groups import GroupDraft
from poc_server.store.sheets.text import MAX_LINES, MAX_NAME_CHARS
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


async def test_an_absent_column_leaves_what_is_there_and_an_empty_cell_clears_it(
    client: httpx.AsyncClient, town: Town
) -> None:
    admin = await login(town, Role.SYSTEM_ADMIN)
    await post(client, "units", "unit\n市/一队\n", admin)
    made = HEADING + "wang,D-1,王建国,vehicle,市/一队,138,0\n"
    assert (await post(client, "people", made, admin)).json()["create"] == 1

    async def now() -> dict[str, Any]:
        (row,) = (await client.get("/people", params={"q": "D-1"}, headers=admin)).json()["items"]
        return {key: row[key] for key in ("account", "badge", "name", "kind", "unit", "phone", "enabled")}

    before = await now()
    for text in ("badge,name\nD-1,王建军\n", "badge,account,name,phone\nD-1\n"):
        said = (await post(client, "people", text, admin)).json()
        assert (said["applied"], said["wrong"]) == (True, 0), said
        assert await now() == {**before, "name": "王建军"}
    said = (await post(client, "people", "badge,account,phone,kind,enabled\nD-1,,,,\n", admin)).json()
    assert said["changes"][0]["differences"] == {"account": ["wang", ""], "phone": ["138", ""]}
    assert await now() == {**before, "name": "王建军", "account": None, "phone": ""}
    for text, column, problem in (
        ("badge,name\nD-1,\n", "name", "missing"),
        ("badge,unit\nD-1,\n", "unit", "missing"),
        ("badge,name\nD-9,新人\n", "unit", "missing"),
        ("name,unit\n新人,市\n", "account", "missing"),
    ):
        (mistake,) = (await post(client, "people", text, admin)).json()["mistakes"]
        assert (mistake["column"], mistake["problem"]) == (column, problem), text
    cell = "code,name,unit,account,outline,datum\n420102001001001,一格,市,,114.3 30.6;114.4 30.6,GCJ-02\n"
    assert (await post(client, "cells", cell, admin)).json()["create"] == 1
    moved = (await post(client, "cells", "code,unit\n420102001001001,市/一队\n", admin)).json()
    assert moved["changes"][0]["differences"] == {"unit": ["市", "市/一队"]}


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


async def test_what_is_exported_is_imported_unchanged(client: httpx.AsyncClient, town: Town) -> None:
    admin, security = await login(town, Role.SYSTEM_ADMIN), await login(town, Role.SECURITY_ADMIN)
    await post(client, "units", "unit\n市/城东区\n市/城西区/一队\n", admin)
    people = HEADING + 'wang,D-1,"王,建国",person,市/城东区,,1\n'
    people += "'=cmd|x,,=HYPERLINK(1),vehicle,市/城西区/一队,+86,0\n"
    assert (await post(client, "people", people, admin)).json()["applied"]
    made = await client.post("/groups", json={"name": "一组", "unit": town.unit}, headers=admin)
    assert made.status_code == 201
    members = "group,account,talk,preempt,priority\n一组,wang,0,1,200\n"
    outline = ";".join(f"114.{number:06d} 30.6" for number in range(500))  # the most corners a cell has
    cells = f"code,name,unit,account,outline,datum\n420102001001001,一格,市/城东区,wang,{outline},GCJ-02\n"
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
    many = await post(client, "duty", heading + night.replace("wang;D-2", ";".join(["wang", "D-2"] * 300)), admin)
    assert many.json()["unchanged"] == 1, "a shift of hundreds is one cell"
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


async def test_groups_come_from_a_file_and_keep_what_it_does_not_speak_of(
    client: httpx.AsyncClient, town: Town
) -> None:
    admin = await login(town, Role.SYSTEM_ADMIN)
    await post(client, "units", "unit\n市/一队\n", admin)
    await town.person(name="王", account="wang")
    body = {"name": "一组", "unit": town.unit, "floor": {"transmit_limit_ms": 20_000}}
    old = (await client.post("/groups", json=body, headers=admin)).json()
    async with town.store.change() as change:
        case = GroupDraft(town.agency, town.unit, "案卷", GroupKind.INCIDENT)
        incident = await groups.create_group(change, case)
    heading = "id,name,kind,unit,duty_unit,emergency,monitoring,enabled\n"
    text = heading + ",一组,,市/一队,,,0,\n,应急组,prearranged,市,市/一队,0,1,1\n"
    dry = (await post(client, "groups", text, admin, dry_run=True)).json()
    assert (dry["create"], dry["update"], dry["applied"]) == (1, 1, False)
    assert dry["changes"][0]["differences"] == {"unit": ["市", "市/一队"], "monitoring": ["1", "0"]}
    assert len(town.store.directory.snapshot.groups) == 2
    assert (await post(client, "groups", text, admin)).json()["applied"]
    now = (await client.get(f"/groups/{old['id']}", headers=admin)).json()
    assert (now["floor"]["transmit_limit_ms"], now["monitoring_allowed"]) == (20_000, False)
    made = next(group for group in town.store.directory.snapshot.groups.values() if group.name == "应急组")
    assert (made.kind, made.emergency_allowed) == (GroupKind.PREARRANGED, False)
    assert (await client.get(f"/groups/{made.id}", headers=admin)).json()["duty_unit"] is not None
    assert (await post(client, "members", "group,account\n应急组,wang\n", admin)).json()["create"] == 1
    out = await client.get("/sheets/groups", headers=admin)
    assert "案卷" not in out.text
    back = (await post(client, "groups", out.content, admin)).json()
    assert (back["unchanged"], back["update"], back["create"], back["wrong"]) == (2, 0, 0, 0)
    renamed = (await post(client, "groups", f"id,name,unit\n{made.id},新名,市\n", admin)).json()
    assert renamed["changes"][0]["differences"] == {"name": ["应急组", "新名"]}

    long = "长" * (MAX_NAME_CHARS + 1)
    wrong = [
        (f"{incident},案卷,,市,,,,\n", "id", "unknown"),
        (",新组,incident,市,,,,\n", "kind", "bad_value"),
        (",新组,,市/二队,,,,\n", "unit", "unknown"),
        (",新组,,市,市/二队,,,\n", "duty_unit", "unknown"),
        (",,,市,,,,\n", "name", "missing"),
        (f",{long},,市,,,,\n", "name", "bad_value"),
        (",新组,,市,,maybe,,\n", "emergency", "bad_value"),
        (",新组,,市,,,,\n,新组,,市,,,,\n", "name", "repeated"),
    ]
    for lines, column, problem in wrong:
        said = (await post(client, "groups", heading + lines, admin)).json()
        assert [(each["column"], each["problem"]) for each in said["mistakes"]] == [(column, problem)], lines
    longest = (await post(client, "groups", heading + f",{long[:-1]},,市,,,,\n", admin)).json()
    assert longest["create"] == 1
    await client.post("/groups", json={"name": "新名", "unit": town.unit}, headers=admin)
    said = (await post(client, "groups", heading + ",新名,,市,,,,\n", admin)).json()
    assert [each["problem"] for each in said["mistakes"]] == ["ambiguous"]


async def test_devices_are_named_by_one_administrator_and_disabled_by_the_other(
    client: httpx.AsyncClient, town: Town
) -> None:
    admin, security = await login(town, Role.SYSTEM_ADMIN), await login(town, Role.SECURITY_ADMIN)
    user = await town.person(name="王", account="wang")
    async with town.store.change() as change:
        device = await sessions.create_device(change, town.agency, user, "手机")
        spare = await sessions.create_device(change, town.agency, None, "备用")
    signed = await town.auth.start_session(user, "demo", device=device)
    held = {"authorization": f"Bearer {signed.access_token}"}
    heading = "id,device,enabled,account\n"
    out = await client.get("/sheets/devices", headers=security)
    back = (await post(client, "devices", out.content, security)).json()
    assert (back["unchanged"], back["update"], back["wrong"]) == (2, 0, 0)

    name = f"{device},王的手机,1,WANG\n"
    assert (await post(client, "devices", heading + name, security)).json()["mistakes"][0]["problem"] == "not_allowed"
    assert (await post(client, "devices", heading + name, admin)).json()["update"] == 1
    off = f"{device},王的手机,0,wang\n"
    assert (await post(client, "devices", heading + off, admin)).json()["mistakes"][0]["problem"] == "not_allowed"
    dry = (await post(client, "devices", heading + off, security, dry_run=True)).json()
    assert dry["changes"][0]["differences"] == {"enabled": ["1", "0"]}
    assert (await client.get("/me", headers=held)).status_code == 200
    assert (await post(client, "devices", heading + off, security)).json()["applied"]
    assert (await client.get("/me", headers=held)).status_code == 401
    wrong = [
        ("nothing,x,,\n", "id", "unknown"),
        (",x,,\n", "id", "missing"),
        (f"{spare},备用,1,wang\n", "account", "not_allowed"),
        (f"{spare},{'长' * (MAX_NAME_CHARS + 1)},1,\n", "device", "bad_value"),
        (f"{spare},备用,maybe,\n", "enabled", "bad_value"),
    ]
    for line, column, problem in wrong:
        said = (await post(client, "devices", heading + line, admin)).json()
        assert [(each["column"], each["problem"]) for each in said["mistakes"]] == [(column, problem)], line


async def test_tables_go_by_pinyin(client: httpx.AsyncClient, town: Town) -> None:
    admin, security = await login(town, Role.SYSTEM_ADMIN), await login(town, Role.SECURITY_ADMIN)
    await post(client, "units", "unit\n市/东湖街道\n市/滨江街道/一队\n市/滨江街道\n", admin)
    names = ("曾春华", "安然", "王建国", "李梅", "汪明")
    await post(client, "people", "badge,name,unit\n" + "".join(f"{name},{name},市\n" for name in names), admin)
    await post(client, "groups", "name,unit\n执法组,市\n环卫组,市\n安全组,市\n", admin)
    inside = [(group, name) for group in ("执法组", "安全组") for name in ("王建国", "李梅")]
    await post(client, "members", "group,account,badge\n" + "".join(f"{g},,{n}\n" for g, n in inside), admin)
    users = {user.name: user.id for user in town.store.directory.snapshot.users.values()}
    async with town.store.change() as change:
        for owner in ("王建国", None, "李梅"):
            await sessions.create_device(change, town.agency, users.get(owner or ""), "手机")

    async def column(kind: str, *wanted: str, by: dict[str, str] = admin) -> list[tuple[str, ...]]:
        lines = csv.DictReader(
            (await client.get(f"/sheets/{kind}", headers=by)).text.removeprefix("\ufeff").splitlines()
        )
        return [tuple(line[each] for each in wanted) for line in lines]

    assert await column("units", "unit") == [
        (unit,) for unit in ("市", "市/滨江街道", "市/滨江街道/一队", "市/东湖街道")
    ]
    listed = [name for (name,) in await column("people", "name") if name in names]
    assert listed == ["安然", "李梅", "汪明", "王建国", "曾春华"]
    assert await column("groups", "name") == [("安全组",), ("环卫组",), ("执法组",)]
    assert await column("members", "group", "name") == [
        (group, name) for group in ("安全组", "执法组") for name in ("李梅", "王建国")
    ]
    assert await column("devices", "person", by=security) == [("李梅",), ("王建国",), ("",)]


async def test_files_that_are_no_table_are_refused(client: httpx.AsyncClient, town: Town) -> None:
    admin = await login(town, Role.SYSTEM_ADMIN)
    bad: list[bytes] = [
        b"",
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
    for kind, who in itertools.product(
        ("people", "roles", "units", "groups", "members", "devices", "cells", "duty"), (officer, {})
    ):
        answer = await post(client, kind, "account,name,unit\n", who)
        assert answer.status_code == (403 if who else 401), kind
    assert (await post(client, "roles", "account,roles\n", system)).status_code == 403
    assert (await post(client, "people", HEADING, security)).status_code == 403
    said = (await post(client, "people", HEADING + "auditor,,改名,,市,,\nstranger,,x,,市,,\n", system)).json()
    assert [each["problem"] for each in said["mistakes"]] == ["not_allowed", "taken"]
    roles = "account,roles\nwang,system_admin audit_admin\nstranger,officer\nwang,pilot\n"
    said = (await post(client, "roles", roles, security)).json()
    assert [each["problem"] for each in said["mistakes"]] == ["not_allowed", "taken", "bad_value"]
