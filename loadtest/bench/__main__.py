"""``python -m loadtest.bench``: takes the figures, prints the table, writes JSON and a page."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from loadtest.bench.docs import write
from loadtest.bench.page import growth, page
from loadtest.bench.run import Bench, Lengths, bench
from loadtest.bench.table import Measured, file_name, markdown, measured

console = Console(emoji=False)


def main(
    out: Annotated[Path, typer.Option(help="Folder of bench.json, bench.md, bench.html and the pictures")] = Path(
        "build"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="Shorter runs, noisier")] = False,
    docs: Annotated[
        Path | None, typer.Option(help="Folder of performance.md: bring its table, sizes and pictures up to date")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this run; may be repeated")] = None,
) -> None:
    """Measure what docs/performance.md publishes, on this machine, now."""
    if docs is not None and only:
        raise typer.BadParameter("the page is written from all runs, or not at all", param_hint="--docs")
    lengths = Lengths(15.0, 5.0, 8.0, 3.0) if quick else Lengths()
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
    (out / "bench.md").write_text(markdown(rows))
    for name, svg in growth(done).items():
        (out / f"{file_name(name)}.svg").write_text(svg)
    console.print(f"{out}/bench.json, {out}/bench.html; {sum(done.took_s.values()):.0f} s")
    if docs is not None:
        write(docs, rows, done, "make bench QUICK=1" if quick else "make bench")


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


def _plain(rows: list[Measured], done: Bench) -> dict[str, Any]:
    table = [
        {"figure": r.row.name, "how": r.row.how, "unit": r.row.unit, "measured": r.value}
        | {"bar": r.row.bar, "to_bar": r.to_bar, "aim": r.row.aim, "to_aim": r.to_aim}
        for r in rows
    ]
    return {"table": table, **asdict(done)}


if __name__ == "__main__":
    typer.run(main)
