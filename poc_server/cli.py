"""``poc-server``: run it, try it, look after it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from poc_server.commands import upkeep
from poc_server.commands.upkeep import ConfigFile, ended, loaded
from poc_server.ground.collector import collector_resting
from poc_server.ground.refused import StoreUnavailable

if TYPE_CHECKING:
    from poc_server.config import Config

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Push-to-talk-over-cellular voice server.",
)
console = Console(stderr=True, emoji=False)

DataFolder = Annotated[Path, typer.Option("--data", help="Folder for all that is kept")]


Nodes = Annotated[int, typer.Option(min=1, max=64, help="How many nodes, one a core, behind one port; needs Redis")]


@app.command()
def serve(config: ConfigFile = None, nodes: Nodes = 1) -> None:
    """Serve phones."""
    settings = loaded(config, {})
    _read_bridge(settings)
    if nodes > 1:
        _several(settings, nodes, ["serve", *(["--config", str(config)] if config else [])], [], [])
    else:
        _serve(settings)


@app.command()
def demo(
    data: DataFolder = Path("data"),
    port: Annotated[int, typer.Option(help="TCP port of pages, API and signaling")] = 8080,
    media_port: Annotated[int, typer.Option(help="UDP port of voice; 0: any")] = 0,
    people: Annotated[int, typer.Option(help="How many people live in the demo city")] = 40,
    links: Annotated[Path | None, typer.Option(help="Write an identity of each as a line of JSON, and go on")] = None,
    bots: Annotated[bool, typer.Option(help="Let bots talk in two groups")] = True,
    lan: Annotated[bool, typer.Option("--lan", help="HTTPS for phones on the local network")] = False,
    https_port: Annotated[int, typer.Option(help="TCP port of HTTPS, with --lan")] = 8443,
    config: ConfigFile = None,
    nodes: Nodes = 1,
    join: Annotated[bool, typer.Option("--join", help="Join the city that another node founds", hidden=True)] = False,
) -> None:
    """The demo city: people to step into, groups with voices in them. Never for production."""
    settings = loaded(
        config,
        {
            "demo": True,
            "server": {"data": str(data), "port": port},
            "media": {"port": media_port, "loopback": True},
            "log": {"format": "console", "level": "warning"},
        },
    )
    _read_bridge(settings)
    if nodes > 1:
        given = ["demo", "--data", str(data), "--people", str(people), *(["--config", str(config)] if config else [])]
        first = [*(["--links", str(links)] if links else []), "--bots" if bots else "--no-bots"]
        _several(settings, nodes, given, first, ["--join", "--no-bots"])
        return
    with collector_resting():
        from poc_server.demo.run import DemoOptions, run

    options = DemoOptions(people=people, links=links, bots=bots, lan=lan, https_port=https_port, join=join)
    try:
        asyncio.run(run(settings, options))
    except (OSError, StoreUnavailable) as problem:
        raise ended(problem) from None


bridge = typer.Typer(no_args_is_help=True, help="The bridge to other people's systems; docs/bridge.md.")
app.add_typer(bridge, name="bridge")


@bridge.command("check")
def bridge_check(
    mapping: Annotated[str, typer.Argument(help="Mapping file, or a ready one: flat, nested, steps")],
    sample: Annotated[Path, typer.Argument(help="A document as their system sends it (JSON)")],
    config: ConfigFile = None,
) -> None:
    """Try a mapping file on a sample, both ways, and say what is missing. Exit code 1 when something is wrong."""
    from gateway.checking.check import check
    from poc_server.bridge import setup
    from poc_server.bridge.senders import read
    from poc_server.ground.refused import Refused

    public_url = loaded(config, {}).bridge.public_url
    try:
        report = check(setup.read_mapping(mapping, Path()), read(sample.read_bytes()), public_url)
    except (setup.BadSetup, Refused, OSError) as problem:
        raise ended(problem) from None
    for line in report.lines():
        typer.echo(line)
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def verify(
    config: ConfigFile = None,
    data: Annotated[Path | None, typer.Option("--data", help="Data folder, where not configured")] = None,
    group: Annotated[str | None, typer.Option(help="Only this group")] = None,
    heads: Annotated[list[Path] | None, typer.Option(help="Signed heads kept elsewhere: further daily files")] = None,
    key: Annotated[list[Path] | None, typer.Option(help="Further public keys (PEM) to trust")] = None,
) -> None:
    """Verify all recordings and their evidence: every file, every entry of the chain, every signature."""
    with collector_resting():
        from poc_server.commands.verifying import Verification

    settings = loaded(config, {"server": {"data": str(data)}} if data else {})
    try:
        verification = Verification.prepared(settings, heads or (), key or ())
        checked = asyncio.run(verification.run(group))
    except (OSError, ValueError) as problem:
        raise ended(problem) from None
    for note in verification.notes:
        console.print(note, highlight=False, soft_wrap=True)
    for finding in checked.findings:
        place = f"{finding.group} {finding.day} #{finding.position or '-'}"
        line = f"[bold red]{finding.wrong.value}[/] {place} {finding.detail}"
        console.print(line, highlight=False, soft_wrap=True)  # one finding a line, however it is read
    console.print(f"{checked.entries} entries, {checked.heads} signed heads, {len(checked.findings)} findings")
    if checked.findings:
        raise typer.Exit(1)


upkeep.add_to(app)


def _read_bridge(settings: Config) -> None:
    """Whoever writes the bridge's file is told what is wrong with it before anything is begun."""
    if settings.bridge.file is None:
        return
    from poc_server.bridge.setup import BadSetup, load

    try:
        file = load(settings.bridge.file).file
    except BadSetup as problem:
        raise ended(problem) from None
    if (file.senders or file.receivers) and not settings.bridge.public_url:
        console.print(
            "[yellow]poc-server:[/] bridge.public_url is not set: no case system can follow a link it is given"
        )


def _serve(settings: Config) -> None:
    with collector_resting():
        from poc_server import logs
        from poc_server.app import App

    async def run() -> None:
        async with App(settings) as running:
            await running.run_until_stopped()

    logs.configure(settings.log)
    try:
        asyncio.run(run())
    except (OSError, StoreUnavailable) as problem:
        raise ended(problem) from None


def _several(settings: Config, count: int, command: list[str], first: list[str], others: list[str]) -> None:
    from poc_server import logs
    from poc_server.commands.several import Several

    if not settings.fabric.redis:
        raise ended("several nodes meet on Redis: say where it is in [fabric] redis")
    logs.configure(settings.log)
    try:
        asyncio.run(Several(settings, count, command, first, others).run())
    except OSError as problem:
        raise ended(problem) from None


def main() -> None:
    """Entry point of the ``poc-server`` command."""
    app()


if __name__ == "__main__":
    main()
