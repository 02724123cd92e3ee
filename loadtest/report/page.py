"""The page around the plots."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping
from html import escape
from typing import Any

from loadtest.report.svg import distribution
from loadtest.result import Result

STYLE = """
:root{color-scheme:light dark;--line:#8884;--ink:currentColor}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0}td,th{border-bottom:1px solid var(--line)}
td,th{padding:.2rem .8rem;text-align:left}td+td{font-variant-numeric:tabular-nums}h2{margin-top:2rem}
.note{border-left:4px solid #c0392b;padding-left:.8rem}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:1rem}figure{margin:0}
svg{width:100%}
"""


def page(title: str, options: Mapping[str, Any], result: Result) -> str:
    """One self-contained HTML document."""
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in result.notes)
    plots = "".join(
        f"<figure><figcaption>{escape(name)} · {len(series)} samples</figcaption>{distribution(series, name)}</figure>"
        for name, series in result.series.items()
    )
    when = dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")
    machine = f"{platform.machine()}, Linux {platform.release()}, Python {platform.python_version()}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f"<h1>{escape(title)}</h1><p>{when} · {escape(machine)}</p>{notes}"
        f"<h2>Figures</h2>{_table(result.figures)}<h2>Distributions</h2><div class=plots>{plots}</div>"
        f"<h2>Options</h2>{_table(options)}</html>\n"
    )


def _table(values: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><td>{escape(str(name))}</td><td>{_cell(value)}</td></tr>" for name, value in values.items())
    return f"<table>{rows}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return " · ".join(f"{escape(str(k))} <b>{_cell(v)}</b>" for k, v in value.items())
    return "–" if value is None else escape(str(value))
