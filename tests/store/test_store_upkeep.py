"""The operator's commands: found an agency, back up, restore, check the audit."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from groups.vocabulary import Role
from poc_server.auth import Auth, AuthSettings
from poc_server.cli import app
from poc_server.store import Store, StoreSettings
from poc_server.store.sql.engine import Database

pytestmark = pytest.mark.wire
runner = CliRunner()


def run(*arguments: str, code: int = 0) -> str:
    result = runner.invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


async def enrol(data: Path, code: str) -> frozenset[Role]:
    store = await Store.open(StoreSettings(), data)
    signed = await Auth.open(AuthSettings(), store, data).enrol(code)
    await store.aclose()
    return signed.user.roles


def test_an_agency_begins_with_three_administrators_and_survives_the_machine(tmp_path: Path) -> None:
    data, other, file = tmp_path / "data", tmp_path / "other", tmp_path / "backup.gz"
    printed = run("found", "江城市城管局", "--data", str(data), "--url", "https://ptt.example")
    codes = re.findall(r"https://ptt\.example/enrol/([a-z2-7]{26})", printed)
    roles = [asyncio.run(enrol(data, code)) for code in codes]
    assert roles == [{Role.SYSTEM_ADMIN}, {Role.SECURITY_ADMIN}, {Role.AUDIT_ADMIN}]
    assert "every seal fits" in run("audit", "--data", str(data))
    run("backup", str(file), "--data", str(data))
    run("restore", str(file), "--data", str(other))
    assert "not empty" in run("restore", str(file), "--data", str(other), code=1)
    account = asyncio.run(_account(other))
    assert "/enrol/" in run("invite", account, "--data", str(other))
    run("invite", "nobody", "--data", str(other), code=2)
    assert "0001" not in run("migrate", "--data", str(other))


async def _account(data: Path) -> str:
    database = Database.open(StoreSettings(), data)
    async with database.reading() as connection:
        found = await connection.scalar(text("SELECT account FROM users WHERE account LIKE 'system%'"))
    await database.aclose()
    return str(found)


def test_an_audit_that_was_tampered_with_is_told(tmp_path: Path) -> None:
    run("found", "江城", "--data", str(tmp_path))
    asyncio.run(_tamper(tmp_path))
    assert "broken at entry 3" in run("audit", "--data", str(tmp_path), code=1)


async def _tamper(data: Path) -> None:
    database = Database.open(StoreSettings(), data)
    async with database.writing() as connection:
        await connection.execute(text("DROP TRIGGER audit_no_update"))
        await connection.execute(text("UPDATE audit SET detail = '{}' WHERE seq = 3"))
    await database.aclose()


def test_what_cannot_be_done_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "no.gz").write_bytes(b"no")
    for arguments in (
        ("restore", str(tmp_path / "no.gz")),
        ("restore", str(tmp_path / "missing.gz")),
        ("backup", str(tmp_path / "x.gz")),
    ):
        output = run(*arguments, "--data", str(tmp_path), code=1)
        assert "Traceback" not in output
        assert output.startswith("poc-server:")
