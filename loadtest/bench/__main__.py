"""``python -m loadtest.bench``: takes the figures, prints the table, writes JSON and a page."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from loadtest.bench.page import growth, page
from loadtest.bench.run import Bench, Lengths, bench
from loadtest.bench.table import Measured, measured

console = Console(emoji=False)


def main(
    out: Annotated[Path, typer.Option(help="Folder of bench.json, bench.md, bench.html and the pictures")] = Path(
        "build"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the time; noisier")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this run; may be repeated")] = None,
) -> None:
    """Measure what docs/performance.md publishes, on this machine, now."""
    lengths = Lengths(15.0, 5.0, 8.0) if quick else Lengths()
    with Progress(console=console, transient=True) as shown:
        bars: dict[str, Any] = {}

        def progress(what: str, done: float, of: float) -> None:
            if what not in bars:
                bars[what] = shown.add_task(what, total=of)
            shown.update(bars[what], completed=done, total=of)

        def tell(name: str, figures: Any) -> None:
            brief = {k: v for k, v in figures.items() if not isinstance(v, dict)}
            shown.console.print(f"[dim]{name}: {brief}[/]", highlight=False)

        done = asyncio.run(bench(lengths, progress, tell, only=frozenset(only or ())))
    rows = measured(done.runs)
    _print(rows, done)
    out.mkdir(parents=True, exist_ok=True)
    (out / "bench.json").write_text(json.dumps(_plain(rows, done), indent=1) + "\n")
    (out / "bench.html").write_text(page(rows, done))
    (out / "bench.md").write_text(_markdown(rows))
    for name, svg in growth(done).items():
        (out / f"{_file_name(name)}.svg").write_text(svg)
    console.print(f"{out}/bench.json, {out}/bench.html")


def _print(rows: list[Measured], done: Bench) -> None:
    table = Table(title="poc-server: figures of this machine, in one run")
    for name in ("figure", "measured", "bar", "× bar", "aim", "× aim"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    for each in rows:
        colour = {True: "green", False: "red", None: "white"}[each.holds]
        value = "–" if each.value is None else f"{each.value:g} {each.row.unit}"
        cells = (each.row.bar, each.to_bar, each.row.aim, each.to_aim)
        table.add_row(each.row.name, f"[{colour}]{value}[/]", *("" if c is None else f"{c:g}" for c in cells))
    console.print(table)
    for name, why in done.missing.items():
        console.print(f"[yellow]not measured: {name}: {why}[/]", highlight=False)
    for note in done.notes:
        console.print(f"[yellow]{note}[/]", highlight=False)


def _markdown(rows: list[Measured]) -> str:
    """The table as docs/performance.md shows it."""
    lines = ["| figure | measured | bar | × bar | aim | × aim | command |", "|---|---|---|---|---|---|---|"]
    for each in rows:
        numbers = (each.row.bar, each.to_bar, each.row.aim, each.to_aim)
        cells = " | ".join("" if c is None else f"{c:g}" for c in numbers)
        value = "–" if each.value is None else f"{each.value:g} {each.row.unit}"
        how = f"`{each.row.how}`" if each.row.how.startswith(("poc-", "python ")) else each.row.how
        lines.append(f"| {each.row.name} | {value} | {cells} | {how} |")
    return "\n".join(lines) + "\n"


def _file_name(title: str) -> str:
    return "growth-" + "-".join(re.findall(r"[a-z0-9]+", title.lower()))


def _plain(rows: list[Measured], done: Bench) -> dict[str, Any]:
    table = [
        {"figure": r.row.name, "how": r.row.how, "unit": r.row.unit, "measured": r.value}
        | {"bar": r.row.bar, "to_bar": r.to_bar, "aim": r.row.aim, "to_aim": r.to_aim}
        for r in rows
    ]
    return {"table": table, **asdict(done)}


if __name__ == "__main__":
    typer.run(main)
