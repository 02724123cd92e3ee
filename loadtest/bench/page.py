"""The bench as one HTML page: the table, and growth drawn."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from loadtest.bench.run import Bench
from loadtest.bench.table import Measured
from loadtest.report.page import STYLE
from loadtest.report.svg import curves
from loadtest.scenarios.fanout import SETTLE_S

FANOUT_PPS = 50
Points = list[tuple[float, float]]


def page(rows: Sequence[Measured], done: Bench) -> str:
    """One self-contained HTML document."""
    head = "".join(f"<th>{name}</th>" for name in ("figure", "measured", "bar", "× bar", "aim", "× aim", "how"))
    body = "".join(f"<tr>{_cells(each)}</tr>" for each in rows)
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in done.notes)
    notes += "".join(f'<p class="note">not measured: {escape(n)}: {escape(w)}</p>' for n, w in done.missing.items())
    drawn = "".join(f"<figure><figcaption>{escape(n)}</figcaption>{svg}</figure>" for n, svg in growth(done).items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>poc-server bench</title><style>{STYLE}</style>'
        f"<h1>poc-server: figures in one run</h1><table><tr>{head}</tr>{body}</table>"
        f"<h2>Growth</h2><div class=plots>{drawn}</div>{notes}</html>\n"
    )


def growth(done: Bench) -> dict[str, str]:
    """The pictures of growth over the count of phones, by title."""
    fan, chat, storm = (
        {phones: kinds[kind] for phones, kinds in done.growth.items() if kind in kinds}
        for kind in ("fanout", "talk", "storm")
    )
    return {
        "CPU of the server per delivered packet, one talker": curves(
            {"µs": _points(fan, "us_per_delivered")}, "listeners", "µs", log_x=True
        ),
        "Core used by one talker at 50 packets/s": curves({"%": _core(fan)}, "listeners", "% of a core", log_x=True),
        "Relay time, one talker": curves(
            {p: _points(fan, "relay_ms", p) for p in ("p50", "p95", "p99")}, "listeners", "ms", log_x=True
        ),
        "Access time, groups of ten": curves(
            {p: _points(chat, "access_ms", p) for p in ("p50", "p95", "p99")}, "phones", "ms", log_x=True
        ),
        "Relay time, groups of ten": curves(
            {p: _points(chat, "relay_ms", p) for p in ("p50", "p95", "p99")}, "phones", "ms", log_x=True
        ),
        "CPU per connecting phone": curves(
            {"ms": _points(storm, "cpu_ms_per_phone")}, "phones at once", "ms", log_x=True
        ),
        "Memory per phone": curves({"KB": _points(chat, "server", "kb_per_phone")}, "phones", "KB", log_x=True),
    }


def _points(runs: dict[int, dict[str, Any]], *path: str) -> Points:
    out: Points = []
    for phones, figures in runs.items():
        found: Any = figures
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            out.append((phones, found))
    return out


def _core(runs: dict[int, dict[str, Any]]) -> Points:
    return [(phones, 100 * run["cpu_s"] / (run["sent"] / FANOUT_PPS + SETTLE_S)) for phones, run in runs.items()]


def _cells(each: Measured) -> str:
    value = "–" if each.value is None else f"<b>{each.value:g}</b> {each.row.unit}"
    rest = (each.row.bar, each.to_bar, each.row.aim, each.to_aim)
    numbers = "".join(f"<td>{'' if cell is None else f'{cell:g}'}</td>" for cell in rest)
    return f"<td>{escape(each.row.name)}</td><td>{value}</td>{numbers}<td><code>{escape(each.row.how)}</code></td>"
