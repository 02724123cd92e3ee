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

    record = mux(Path(values["spool"]), Path(values["recordings"]), int(values["day_offset_minutes"]))
    return record.to_json()


def _remove(values: Values) -> Values:
    Path(values["path"]).unlink(missing_ok=True)
    return {}


def _put_aside(values: Values) -> Values:
    path = Path(values["path"])
    aside = path.parent / "failed"
    aside.mkdir(exist_ok=True)
    path.rename(aside / path.name)
    return {}


def _list_spools(values: Values) -> Values:
    from poc_server.recording.layout import SPOOL_SUFFIX

    return {"paths": sorted(str(path) for path in Path(values["folder"]).glob(f"*{SPOOL_SUFFIX}"))}


JOBS: dict[str, Job] = {
    "mux": Job(_mux, Lane.QUICK),
    "remove": Job(_remove, Lane.QUICK),
    "put_aside": Job(_put_aside, Lane.QUICK),
    "list_spools": Job(_list_spools, Lane.QUICK),
}
