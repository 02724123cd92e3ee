"""The rows of the table: what each figure must be (bar), where it is going (aim), and which run it is read from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Runs = Mapping[str, Mapping[str, Any]]
"""Figures of each scenario that was run, by its name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; smaller is better. ``read`` gives it, or None when its run was left out or had no samples."""

    name: str
    how: str
    unit: str
    bar: float | None
    aim: float | None
    read: Callable[[Runs], float | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """A row with its figure. Ratios are None where the bar or aim is zero or absent."""

    row: Row
    value: float | None

    @property
    def to_bar(self) -> float | None:
        """Measured / bar: at most 1 holds."""
        return _ratio(self.value, self.row.bar)

    @property
    def to_aim(self) -> float | None:
        """Measured / aim: at most 1 has arrived."""
        return _ratio(self.value, self.row.aim)

    @property
    def holds(self) -> bool | None:
        """Whether the bar is held; None when not measured or there is none."""
        if self.value is None or self.row.bar is None:
            return None
        return self.value <= self.row.bar


def measured(runs: Runs) -> list[Measured]:
    """Each row with what ``runs`` say of it."""
    return [Measured(row, row.read(runs)) for row in ROWS]


def markdown(rows: list[Measured]) -> str:
    """The table as docs/performance.md shows it."""
    lines = ["| figure | measured | bar | × bar | aim | × aim | command |", "|---|---|---|---|---|---|---|"]
    for each in rows:
        numbers = (each.row.bar, each.to_bar, each.row.aim, each.to_aim)
        cells = " | ".join("" if c is None else f"{c:g}" for c in numbers)
        value = "–" if each.value is None else f"{each.value:g} {each.row.unit}"
        how = f"`{each.row.how}`" if each.row.how.startswith(("poc-", "POC_", "python ")) else each.row.how
        lines.append(f"| {each.row.name} | {value} | {cells} | {how} |")
    return "\n".join(lines) + "\n"


def file_name(title: str) -> str:
    """A picture's name, without its ending."""
    return "growth-" + "-".join(re.findall(r"[a-z0-9]+", title.lower()))


def _ratio(value: float | None, wanted: float | None) -> float | None:
    return round(value / wanted, 2) if value is not None and wanted else None


def _at(run: str, *path: str) -> Callable[[Runs], float | None]:
    def read(runs: Runs) -> float | None:
        found: Any = runs.get(run)
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return float(found) if isinstance(found, int | float) else None

    return read


def _times(run: str, other: str, key: str = "us_per_delivered") -> Callable[[Runs], float | None]:
    """CPU per delivered packet of one run in multiples of another's."""
    one, two = _at(run, key), _at(other, "us_per_delivered")

    def read(runs: Runs) -> float | None:
        above, below = one(runs), two(runs)
        return round(above / below, 2) if above and below else None

    return read


def _double_talk(runs: Runs) -> float | None:
    found = [run["double_talk"] for run in runs.values() if "double_talk" in run]
    return float(sum(found)) if found else None


def _megabytes(read: Callable[[Runs], float | None]) -> Callable[[Runs], float | None]:
    def converted(runs: Runs) -> float | None:
        value = read(runs)
        return None if value is None else round(value / 1e6, 3)

    return converted


_TALK = "poc-loadtest talk --phones 500 --groups 50"
_CROWD = f"{_TALK} --crowd 2000"
_LEADER = "poc-loadtest emergency --phones 1000"
_CASES = "poc-loadtest incidents --incidents 1000 --members 10"
_RECORDER = "python -m loadtest.bench --only recorder"
_FANOUT = "poc-loadtest fanout --listeners 500 --pps 50 --payload 80"
_PYTHON = f"POC_MEDIA__KERNEL=python {_FANOUT}"
ROWS = (
    Row("access, p99", _TALK, "ms", 30, 5, _at("talk", "access_ms", "p99")),
    Row("access beside 2,000 listeners on air, p99", _CROWD, "ms", 50, 10, _at("crowd", "access_ms", "p99")),
    Row("late entry, p95", _TALK, "ms", 60, 20, _at("talk", "late_entry_ms", "p95")),
    Row("relay, p99", _TALK, "ms", 20, 5, _at("talk", "relay_ms", "p99")),
    Row(
        "relay of a bare C loop meanwhile, p99", "the same work in C", "ms", None, None, _at("floor", "relay_ms", "p99")
    ),
    Row("fan-out against the kernel's floor (Python path)", _PYTHON, "×", 4, 1.2, _times("fanout python", "floor")),
    Row("fan-out against the kernel's floor (fast path)", _FANOUT, "×", 1.6, 1.2, _times("fanout", "floor")),
    Row(
        "the same without what the server and 500 silent phones cost anyway",
        _FANOUT,
        "×",
        None,
        None,
        _times("fanout", "floor", "voice_us_per_delivered"),
    ),
    Row("fan-out against murmur (Python path)", _PYTHON, "×", 2.2, 0.6, _times("fanout python", "murmur")),
    Row("fan-out against murmur (fast path)", _FANOUT, "×", 0.9, 0.6, _times("fanout", "murmur")),
    Row("storm: CPU per phone", "poc-loadtest storm --phones 1000", "ms", 8, 4, _at("storm", "cpu_ms_per_phone")),
    Row("storm: phones that failed", "poc-loadtest storm --phones 1000", "", 0, 0, _at("storm", "failed")),
    Row("memory per connected idle phone", "poc-loadtest idle", "KB", 150, 80, _at("idle", "kb_per_phone")),
    Row("idle phone, CPU", "poc-loadtest idle", "µs/s", None, None, _at("idle", "cpu_us_per_phone_second")),
    Row(
        "SOS over a talker: key to first audio at a dispatcher, p95",
        _LEADER,
        "ms",
        300,
        150,
        _at("emergency", "sos_ms", "p95"),
    ),
    Row(
        "leader's call to 1,000: told at the last phone", _LEADER, "ms", 1000, 400, _at("emergency", "alert_ms", "max")
    ),
    Row(
        "leader's call to 1,000: voice at the last phone", _LEADER, "ms", 300, 100, _at("emergency", "voice_ms", "max")
    ),
    Row(
        "voice of others meanwhile: relay while all slots of 1,000 are worked out anew, p99",
        _LEADER,
        "ms",
        50,
        10,
        _at("emergency", "beside_ms", "during", "p99"),
    ),
    Row("the same before the call, p99", _LEADER, "ms", None, None, _at("emergency", "beside_ms", "before", "p99")),
    Row("case in → its ten phones told, p95", _CASES, "ms", 1000, 200, _at("incidents", "told_ms", "p95")),
    Row("1,000 incidents of 10 members opened", _CASES, "s", 30, None, _at("incidents", "opened_s")),
    Row("access before they come, p99", _CASES, "ms", None, None, _at("incidents", "access_before_ms", "p99")),
    Row("access while they are opened, p99", _CASES, "ms", 30, None, _at("incidents", "access_ms", "p99")),
    Row(
        "recorder: extra CPU of the node per delivered packet",
        _RECORDER,
        "%",
        10,
        3,
        _at("recorder", "extra_percent"),
    ),
    Row(
        "the same with the worker that makes the files",
        _RECORDER,
        "%",
        None,
        None,
        _at("recorder", "extra_percent_with_worker"),
    ),
    Row(
        "the same with 200 groups talking at once",
        _RECORDER,
        "%",
        None,
        None,
        _at("recorder", "groups", "extra_percent_with_worker"),
    ),
    Row("bursts lost with 200 groups talking at once", _RECORDER, "", 0, 0, _at("recorder", "groups", "bursts_lost")),
    Row("packets lost by the recorder meanwhile", _RECORDER, "", 0, 0, _at("recorder", "groups", "packets_dropped")),
    Row(
        "last word → all on disk with a row, 200 groups",
        _RECORDER,
        "s",
        None,
        None,
        _at("recorder", "groups", "on_disk_after_s"),
    ),
    Row("two talkers in one group", "all runs", "", 0, 0, _double_talk),
    Row("data, idle", "poc-loadtest data", "MB/h", None, 0.5, _megabytes(_at("data", "bytes_per_hour", "idle"))),
    Row(
        "data, listening",
        "poc-loadtest data",
        "MB/h",
        None,
        None,
        _megabytes(_at("data", "bytes_per_hour", "listening")),
    ),
    Row("data, talking", "poc-loadtest data", "MB/h", None, None, _megabytes(_at("data", "bytes_per_hour", "talking"))),
)
