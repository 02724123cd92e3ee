"""``poc-server`` commands that look after the database: founding an agency, migration, backup, restore, the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from poc_server.ground.collector import collector_resting

if TYPE_CHECKING:
    from groups.vocabulary import AgencyId, Role, UnitId, UserId
    from poc_server.auth import Auth
    from poc_server.config import Config
    from poc_server.store import Store, audit
    from poc_server.store.city.people import UserDraft
    from poc_server.store.sql.engine import Database

T = TypeVar("T")
console = Console(stderr=True, emoji=False)
ConfigFile = Annotated[Path | None, typer.Option("--config", help="TOML file; see deploy/config.toml")]
DataFolder = Annotated[Path | None, typer.Option("--data", help="Data folder, where not configured")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``poc-server``."""
    for name, command in (
        ("migrate", migrate_command),
        ("backup", backup_command),
        ("restore", restore_command),
        ("found", found_command),
        ("invite", invite_command),
        ("audit", audit_command),
    ):
        app.command(name)(command)


def migrate_command(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Bring the database to the tables of this program. Serving does the same at its start."""
    from poc_server.store.sql.migrate import current, migrate

    async def work(database: Database) -> tuple[str | None, str | None]:
        before = await current(database)
        await migrate(database)
        return before, await current(database)

    before, after = _with_database(_settings(config, data), work)
    console.print(f"{before or 'empty'} → {after}")


def backup_command(
    file: Annotated[Path, typer.Argument(help="Where to write it: gzipped JSON lines")],
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Write all tables into one file, while the server runs. Recordings and keys are files of the data folder."""
    from poc_server.store.sql.backup import backup as write_backup

    counts = _with_database(_settings(config, data), lambda database: write_backup(database, file))
    console.print(f"{sum(counts.values())} rows of {len(counts)} tables in {file}")


def restore_command(
    file: Annotated[Path, typer.Argument(help="A backup, of this or an older version")],
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Fill an empty database, SQLite or PostgreSQL, from a backup; stop the server before."""
    from poc_server.store.sql.backup import restore as read_backup

    counts = _with_database(_settings(config, data), lambda database: read_backup(database, file))
    console.print(f"{sum(counts.values())} rows of {len(counts)} tables from {file}")


def found_command(
    agency: Annotated[str, typer.Argument(help="Name of the agency, as 江城市城市运行管理中心")],
    config: ConfigFile = None,
    data: DataFolder = None,
    url: Annotated[str, typer.Option(help="Where phones reach this server")] = "http://localhost:8080",
) -> None:
    """Make an agency with its three administrators, and print the link with which each enrols a device, once."""
    from groups.vocabulary import Role
    from poc_server.store.city import people, units
    from signaling.words import ROLES

    administrators = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)

    async def work(store: Store, auth: Auth) -> list[tuple[str, str]]:
        async with store.change() as change:
            made = await units.create_agency(change, agency)
            root = await units.create_unit(change, made, None, agency)
            users = [
                (role, await people.create_user(change, _administrator(made, root, role))) for role in administrators
            ]
        return [(ROLES[role][0], await _link(auth, user, url)) for role, user in users]

    _print_links(_with_store(_settings(config, data), work))


def invite_command(
    account: Annotated[str, typer.Argument(help="Sign-in name of a person")],
    config: ConfigFile = None,
    data: DataFolder = None,
    url: Annotated[str, typer.Option(help="Where phones reach this server")] = "http://localhost:8080",
) -> None:
    """Print a link with which a person enrols a device: the way back for an administrator who lost his."""
    from groups.vocabulary import UserId
    from poc_server.store.city import people

    async def work(store: Store, auth: Auth) -> list[tuple[str, str]]:
        async with store.reading() as connection:
            row = await people.credentials(connection, account)
        if row is None:
            raise typer.BadParameter(f"nobody signs in as {account}")
        return [(row.name, await _link(auth, UserId(row.id), url))]

    _print_links(_with_store(_settings(config, data), work))


def audit_command(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Check every seal of the audit; ends with 1 when one does not fit."""
    from poc_server.store import audit

    async def work(database: Database) -> audit.AuditCheck:
        async with database.snapshot() as connection:
            return await audit.verify(connection)

    found = _with_database(_settings(config, data), work)
    if found.broken_at is not None:
        console.print(f"[bold red]broken at entry {found.broken_at}[/] of {found.entries} read")
        raise typer.Exit(1)
    console.print(f"{found.entries} entries, every seal fits")


def loaded(file: Path | None, overrides: dict[str, Any]) -> Config:
    """The configuration, for any command. Raises typer.Exit when it is wrong, and has said how."""
    with collector_resting():
        from poc_server.config import BadConfig, load

    try:
        return load(file, overrides)
    except BadConfig as problem:
        raise ended(problem) from None


def ended(problem: Exception | str) -> typer.Exit:
    """What a command raises that cannot go on; says why."""
    console.print(f"[bold red]poc-server:[/] {problem}")
    return typer.Exit(1)


def _settings(config: Path | None, data: Path | None) -> Config:
    return loaded(config, {"server": {"data": str(data)}} if data else {})


def _with_database(settings: Config, work: Callable[[Database], Awaitable[T]]) -> T:
    from poc_server.store.sql.engine import Database

    async def run() -> T:
        database = Database.open(settings.store, settings.server.data)
        try:
            return await work(database)
        finally:
            await database.aclose()

    return _ran(run)


def _with_store(settings: Config, work: Callable[[Store, Auth], Awaitable[T]]) -> T:
    from poc_server.auth import Auth
    from poc_server.store import Store

    async def run() -> T:
        store = await Store.open(settings.store, settings.server.data)
        try:
            return await work(store, Auth.open(settings.auth, store, settings.server.data))
        finally:
            await store.aclose()

    return _ran(run)


def _ran(run: Callable[[], Awaitable[T]]) -> T:
    from poc_server.ground.refused import Refused
    from poc_server.store.sql.backup import BadBackup

    async def whole() -> T:
        return await run()

    try:
        return asyncio.run(whole())
    except (OSError, BadBackup, Refused) as problem:
        raise ended(problem) from None


def _administrator(agency: AgencyId, unit: UnitId, role: Role) -> UserDraft:
    from poc_server.store.city.people import UserDraft
    from signaling.words import ROLES

    account = f"{role.value.replace('_', '-')}@{agency[-6:]}"
    return UserDraft(agency, unit, ROLES[role][0], frozenset({role}), account=account)


async def _link(auth: Auth, user: UserId, url: str) -> str:
    from poc_server.store import SYSTEM

    code, _ = await auth.invite(SYSTEM, user)
    return f"{url.rstrip('/')}/enrol/{code}"


def _print_links(links: list[tuple[str, str]]) -> None:
    """On standard output, plainly, so that they can be copied or piped."""
    table = Table("", "", box=None, show_header=False)
    for name, link in links:
        table.add_row(name, link)
    Console(width=200, emoji=False).print(table)
