"""``poc-loadtest``: a fleet of simulated phones against a server, and what it measured."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from loadtest.result import CannotRun, Result
from loadtest.server import Target, running, started
from loadtest.traffic import Traffic

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Simulated phones that speak only the wire. Without --url a demo server is started for the run.",
)
console = Console(emoji=False)
errors = Console(stderr=True, emoji=False)

Url = Annotated[str | None, typer.Option("--url", help="ws://HOST:PORT/ws of a running server; needs --links")]
Links = Annotated[Path | None, typer.Option("--links", help="Identities: poc-server demo --people N --links FILE")]
Pid = Annotated[int | None, typer.Option("--pid", help="The server's process; else who listens on the port")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the figures here")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a report with plots here")]
First = Annotated[
    bool, typer.Option(help="A server started here, and the fleet, run before other processes if allowed")
]
Phones = Annotated[int, typer.Option(min=1, help="How many phones")]
Groups = Annotated[int, typer.Option(min=1, help="How many groups")]
Seconds = Annotated[float, typer.Option(min=0.1, help="How long")]
Scenario = Callable[[Target, Any, Callable[[str, float, float], None]], Awaitable[Result]]


@app.command()
def talk(
    phones: Phones = 500,
    groups: Groups = 50,
    seconds: Seconds = 60.0,
    fixed: Annotated[bool, typer.Option("--fixed", help="Every time is its mean, not drawn")] = False,
    pause: Annotated[float, typer.Option(min=0.0, help="Mean pause of a group between sessions, s")] = 10.0,
    closely: Annotated[int, typer.Option(min=1, help="One phone in so many decrypts")] = 10,
    seed: int = 1,
    crowd: Annotated[int, typer.Option(min=0, help="So many more phones hear one talker without end")] = 0,
    url: Url = None,
    links: Links = None,
    pid: Pid = None,
    json_file: Json = None,
    html: Html = None,
    first: First = True,
) -> None:
    """People talk in groups: access, relay and late entry times, losses, double talk, cost."""
    from loadtest.scenarios import talk as scenario

    traffic = Traffic(fixed=fixed, pause_s=pause)
    options = scenario.TalkOptions(phones, groups, seconds, closely, traffic, seed, crowd)
    _run("talk", scenario.run, options, phones + crowd, url, links, pid, json_file, html, first)


@app.command()
def fanout(
    listeners: Annotated[int, typer.Option(min=1)] = 500,
    pps: Annotated[float, typer.Option(help="50, 25 or 16.67: Opus frames of 20, 40, 60 ms")] = 50.0,
    payload: Annotated[int, typer.Option(min=40, max=1200, help="Bytes of Opus in a packet")] = 80,
    seconds: Seconds = 10.0,
    keepalive: Annotated[bool, typer.Option(help="Let idle phones cost what they cost meanwhile")] = False,
    url: Url = None,
    links: Links = None,
    pid: Pid = None,
    json_file: Json = None,
    html: Html = None,
    first: First = True,
) -> None:
    """One talker, many listeners: CPU of the server per delivered packet."""
    from loadtest.scenarios import fanout as scenario

    options = scenario.FanoutOptions(listeners, pps, payload, seconds, keepalive=keepalive)
    _run("fanout", scenario.run, options, listeners + 1, url, links, pid, json_file, html, first)


@app.command()
def storm(
    phones: Phones = 1000,
    groups: Groups = 1,
    url: Url = None,
    links: Links = None,
    pid: Pid = None,
    json_file: Json = None,
    html: Html = None,
    first: First = True,
) -> None:
    """All phones connect at once."""
    from loadtest.scenarios import storm as scenario

    options = scenario.StormOptions(phones, groups)
    _run("storm", scenario.run, options, phones, url, links, pid, json_file, html, first)


@app.command()
def idle(
    phones: Phones = 1000,
    groups: Groups = 100,
    seconds: Seconds = 20.0,
    url: Url = None,
    links: Links = None,
    pid: Pid = None,
    json_file: Json = None,
    html: Html = None,
    first: First = True,
) -> None:
    """Phones that say nothing: CPU and memory of the server per phone."""
    from loadtest.scenarios import idle as scenario

    options = scenario.IdleOptions(phones, groups, seconds)
    _run("idle", scenario.run, options, phones, url, links, pid, json_file, html, first)


@app.command()
def emergency(
    phones: Phones = 1000,
    alerts: Annotated[int, typer.Option(min=1, help="SOS, one after another")] = 10,
    calls: Annotated[int, typer.Option(min=1, help="Leader's calls to all, one after another")] = 5,
    url: Url = None,
    links: Links = None,
    pid: Pid = None,
    json_file: Json = None,
    html: Html = None,
    first: First = True,
) -> None:
    """SOS over a talker, and a leader's call to all: when the last one knows and hears."""
    from loadtest.scenarios import emergency as scenario

    options = scenario.EmergencyOptions(phones, alerts, calls)
    _run("emergency", scenario.run, options, phones, url, links, pid, json_file, html, first)


@app.command()
def incidents(
    phones: Phones = 500,
    groups: Groups = 50,
    seconds: Seconds = 20.0,
    number: Annotated[int, typer.Option("--incidents", min=1, help="Cases opened at once")] = 1000,
    members: Annotated[int, typer.Option(min=1, help="Phones in each")] = 10,
    singles: Annotated[int, typer.Option(min=0, help="Cases that come one by one before")] = 30,
    at_once: Annotated[int, typer.Option(min=1, help="Requests under way at the same time")] = 32,
    url: Url = None,
    links: Links = None,
    pid: Pid = None,
    json_file: Json = None,
    html: Html = None,
    first: First = True,
) -> None:
    """A case system dispatches many cases at once while people talk: how long, and access time meanwhile."""
    from loadtest.scenarios import incidents as scenario

    options = scenario.IncidentsOptions(phones, groups, seconds, number, members, singles, at_once)
    _run("incidents", scenario.run, options, phones, url, links, pid, json_file, html, first)


@app.command()
def data(
    seconds: Seconds = 30.0,
    url: Url = None,
    links: Links = None,
    pid: Pid = None,
    json_file: Json = None,
    html: Html = None,
    first: First = True,
) -> None:
    """Bytes on the wire per hour: idle, listening, talking."""
    from loadtest.scenarios import data as scenario

    _run("data", scenario.run, scenario.DataOptions(seconds), 10, url, links, pid, json_file, html, first)


def _run(
    name: str,
    scenario: Scenario,
    options: Any,
    people: int,
    url: str | None,
    links: Path | None,
    pid: int | None,
    json_file: Path | None,
    html: Path | None,
    first: bool,
) -> None:
    try:
        if url is not None:
            if links is None:
                raise CannotRun("--url needs --links")
            result = asyncio.run(_against(scenario, options, running(url, links, pid)))
        else:
            result = asyncio.run(_with_own(scenario, options, people, first))
    except CannotRun as problem:
        errors.print(f"[bold red]poc-loadtest:[/] {problem}", highlight=False)
        raise typer.Exit(1) from None
    _tell(name, result)
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(result.figures, indent=1) + "\n")
    if html is not None:
        from loadtest.report.page import page

        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(page(f"poc-loadtest {name}", dataclasses.asdict(options), result))


async def _with_own(scenario: Scenario, options: Any, people: int, first: bool) -> Result:
    async with started(people, first=first) as target:
        return await _against(scenario, options, target)


async def _against(scenario: Scenario, options: Any, target: Target) -> Result:
    bars: dict[str, Any] = {}
    columns = (TextColumn("{task.description:>12}"), BarColumn(40), TextColumn("{task.completed:.0f}/{task.total:.0f}"))
    with Progress(*columns, TimeElapsedColumn(), console=errors, transient=True) as shown:

        def progress(what: str, done: float, of: float) -> None:
            if what not in bars:
                bars[what] = shown.add_task(what, total=of)
            shown.update(bars[what], completed=done, total=of)

        return await scenario(target, options, progress)


def _tell(name: str, result: Result) -> None:
    table = Table(title=name, show_header=False)
    for key, value in result.figures.items():
        if key == "fleet":
            table.add_row(key, f"limit: {value['limit']}, sent late p99 {value['send_late_ms']['p99']} ms")
        else:
            for row in _rows(key, value):
                table.add_row(*row)
    console.print(table)
    for note in result.notes:
        console.print(f"[yellow]{note}[/]", highlight=False)


def _rows(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A line for what is plain; a line more for each summary within another."""
    if not isinstance(value, dict):
        yield name, str(value)
        return
    plain = {key: each for key, each in value.items() if not isinstance(each, dict)}
    if plain:
        yield name, "  ".join(f"{key} {each}" for key, each in plain.items())
    for key in (each for each in value if each not in plain):
        yield from _rows(f"{name} {key}", value[key])


def main() -> None:
    """Entry point of the ``poc-loadtest`` command."""
    app()


if __name__ == "__main__":
    main()
