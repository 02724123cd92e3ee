"""What the worker can do: each job takes JSON values and gives JSON values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from poc_server.work import Values


class Lane(StrEnum):
    """Jobs of one lane run one after the other; lanes run beside each other, so a long export holds up no burst."""

    QUICK = "quick"
    """What a burst, its deletion or a listener waits for."""
    BULK = "bulk"
    """Seconds at most: a photo, a voice for players."""
    LONG = "long"
    """Minutes, and nothing else waits behind it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work."""

    run: Callable[[Values], Values]
    lane: Lane


def failure(problem: Exception) -> Values:
    """How it is said that something failed; ``disk`` when that is to blame, so that later it may succeed."""
    return {"error": f"{type(problem).__name__}: {problem}", "disk": isinstance(problem, OSError)}


def _mux(values: Values) -> Values:
    from groups.vocabulary import BurstEnd
    from poc_server.recording.spooling.spool import SpoolEnd
    from poc_server.worker.mux import mux

    recordings = _recordings(values)

    def made(path: str, told: list[Any] | None) -> Values:
        """What one meets says nothing of those beside it."""
        try:
            end = None if told is None else SpoolEnd(BurstEnd(told[0]), int(told[1]), int(told[2]))
            return {"record": mux(Path(path), recordings, int(values["zone_minutes"]), end).to_json()}
        except Exception as problem:  # the finisher's to judge
            return failure(problem)

    return {"made": [made(path, told) for path, told in values["spools"]]}


def _remove(values: Values) -> Values:
    if "folder" in values:
        _recordings(values)
    for path in values["paths"]:
        Path(path).unlink(missing_ok=True)
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


def _so_far(values: Values) -> Values:
    from poc_server.worker.mux import so_far

    return {"samples": so_far(Path(values["spool"]), Path(values["wanted"]))}


def _keep_material(values: Values) -> Values:
    from poc_server.worker.material import keep_material

    _recordings(values)
    keep_material(Path(values["part"]), Path(values["wanted"]), values["size"], values["sha256"], values["media_type"])
    return {}


def _message(values: Values) -> Values:
    from poc_server.worker.spoken import encode_message

    key, samples = encode_message(Path(values["source"]), Path(values["folder"]), str(values["name"]))
    return {"key": key, "samples": samples}


def _export(values: Values) -> Values:
    from groups.vocabulary import Tier
    from poc_server.store import StoreSettings
    from poc_server.store.records.recordings import Area, Scope, Search
    from poc_server.worker.export import Order, export

    scope, search = values["scope"], dict(values["search"])
    search["area"] = Area(*search["area"]) if search["area"] else None
    search["tier"] = None if search["tier"] is None else Tier(search["tier"])
    made = export(
        Order(
            store=StoreSettings.model_validate(values["store"]),
            data=Path(values["data"]),
            files=_recordings(values),
            wanted=Path(values["wanted"]),
            scope=Scope(
                scope["user"],
                frozenset(scope["whole"]),
                frozenset(scope["while_member"]),
                gone_in=frozenset(scope["gone_in"]),
            ),
            search=Search(**search),
            keys=values["keys"],
            title=values["title"],
            by=values["by"],
            at_ms=values["at_ms"],
            zone_minutes=values["zone_minutes"],
            mp3=values["mp3"],
            signed=values["signed"],
            most=values["most"],
            most_bytes=values["most_bytes"],
        )
    )
    return {"recordings": made.recordings, "size": made.size, "manifest": made.manifest}


def _add_signature(values: Values) -> Values:
    from poc_server.worker.export import add_signature

    archive = Path(values["archive"])
    add_signature(archive, values["name"], bytes.fromhex(values["data"]))
    return {"size": archive.stat().st_size}


def _recordings(values: Values) -> Path:
    """The folder of the recordings. Raises OSError when another one stands there."""
    from poc_server.recording.layout import require

    folder = Path(values["folder"])
    require(folder, str(values["mark"]))
    return folder


JOBS: dict[str, Job] = {
    "mux": Job(_mux, Lane.QUICK),
    "so_far": Job(_so_far, Lane.QUICK),
    "keep_material": Job(_keep_material, Lane.BULK),
    "message": Job(_message, Lane.QUICK),
    "convert": Job(_convert, Lane.BULK),
    "export": Job(_export, Lane.LONG),
    "add_signature": Job(_add_signature, Lane.BULK),
    "remove": Job(_remove, Lane.QUICK),
    "put_aside": Job(_put_aside, Lane.QUICK),
}
