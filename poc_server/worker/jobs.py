"""What the worker can do: each job takes JSON values and gives JSON values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

Values = dict[str, Any]


class Lane(StrEnum):
    """Jobs of one lane run one after the other; lanes run beside each other, so a long export holds up no burst."""

    QUICK = "quick"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work."""

    run: Callable[[Values], Values]
    lane: Lane


def _mux(values: Values) -> Values:
    from poc_server.worker.mux import mux

    record = mux(Path(values["spool"]), Path(values["recordings"]), int(values["zone_minutes"]))
    return record.to_json()


def _remove(values: Values) -> Values:
    Path(values["path"]).unlink(missing_ok=True)
    return {}


def _put_aside(values: Values) -> Values:
    path, aside = Path(values["path"]), Path(values["aside"])
    aside.mkdir(exist_ok=True)
    path.rename(aside / path.name)
    return {}


def _convert(values: Values) -> Values:
    from poc_server.worker.convert import convert

    convert(Path(values["source"]), Path(values["wanted"]), str(values["form"]))
    return {}


JOBS: dict[str, Job] = {
    "mux": Job(_mux, Lane.QUICK),
    "convert": Job(_convert, Lane.BULK),
    "remove": Job(_remove, Lane.QUICK),
    "put_aside": Job(_put_aside, Lane.QUICK),
}
