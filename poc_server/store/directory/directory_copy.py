"""The directory's copy on disk, from which a node starts while SQL is away.

Written in slices on the event loop: one long dump in a thread would hold the interpreter, and with it voice.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import structlog
from pydantic import TypeAdapter

from groups.model import Agency, Group, Membership, Unit, User
from groups.vocabulary import UserId
from poc_server.ground import durable
from poc_server.store.directory.snapshot import Device, Shift, Snapshot, by_user, children

log = structlog.get_logger(__name__)
FORMAT = 1
SLICE = 20
"""Lines written before the loop may do something else: half a millisecond."""
T = TypeVar("T")
_KINDS: dict[str, TypeAdapter[Any]] = {
    "agency": TypeAdapter(Agency),
    "unit": TypeAdapter(Unit),
    "user": TypeAdapter(User),
    "group": TypeAdapter(Group),
    "device": TypeAdapter(Device),
    "membership": TypeAdapter(Membership),
    "shift": TypeAdapter(Shift),
}


async def save(path: Path, snapshot: Snapshot) -> None:
    """Write ``snapshot`` to ``path``, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with open(draft, "wb", opener=_private) as file:  # noqa: ASYNC230 - small writes to the page cache
        part: list[bytes] = []
        for line in _lines(snapshot):
            part.append(line)
            if len(part) >= SLICE:
                file.write(b"".join(part))
                part.clear()
                await asyncio.sleep(0)
        file.write(b"".join(part))
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
    os.replace(draft, path)
    await asyncio.to_thread(durable.sync, path.parent)


def read(path: Path) -> Snapshot | None:
    """The snapshot in ``path``; None when there is none or it is not whole."""
    try:
        with path.open("rb") as file:
            return _assemble(json.loads(line) for line in file)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, StopIteration) as problem:
        log.error("directory_copy_unreadable", problem=str(problem)[:200])
        return None


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o640)


def _lines(snapshot: Snapshot) -> Iterator[bytes]:
    head = {
        "format": FORMAT,
        "version": snapshot.version,
        "ended_sessions": dict(snapshot.ended_sessions),
        "shut_out": dict(snapshot.shut_out),
        "planned_until": dict(snapshot.planned_until),
    }
    yield json.dumps(head).encode() + b"\n"
    count = 0
    for kind, items in (
        ("agency", snapshot.agencies.values()),
        ("unit", snapshot.units.values()),
        ("user", snapshot.users.values()),
        ("group", snapshot.groups.values()),
        ("device", snapshot.devices.values()),
        ("shift", snapshot.shifts.values()),
        ("membership", (m for inner in snapshot.members.values() for m in inner.values())),
    ):
        for item in items:
            count += 1
            yield json.dumps([kind, _plain(kind, item)], ensure_ascii=False).encode() + b"\n"
    yield json.dumps({"end": count}).encode() + b"\n"


def _plain(kind: str, item: Any) -> dict[str, Any]:
    plain: dict[str, Any] = _KINDS[kind].dump_python(item, mode="json")
    return {key: sorted(value) if isinstance(getattr(item, key), frozenset) else value for key, value in plain.items()}


def _assemble(parsed: Iterator[Any]) -> Snapshot:
    head = next(parsed)
    if head["format"] != FORMAT:
        raise ValueError("format of another version")
    found: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    for item in parsed:
        if isinstance(item, dict):
            if item["end"] != sum(len(each) for each in found.values()):
                raise ValueError("lines are missing")
            break
        kind, plain = item
        found[kind].append(_KINDS[kind].validate_python(plain))
    else:
        raise ValueError("cut short")
    members: dict[Any, dict[UserId, Membership]] = {}
    of_user: dict[UserId, set[Any]] = {}
    for each in found["membership"]:
        members.setdefault(each.group, {})[each.user] = each
        of_user.setdefault(each.user, set()).add(each.group)
    units = {each.id: each for each in found["unit"]}
    return Snapshot(
        version=head["version"],
        agencies={each.id: each for each in found["agency"]},
        units=units,
        users={each.id: each for each in found["user"]},
        groups={each.id: each for each in found["group"]},
        devices={each.id: each for each in found["device"]},
        members=members,
        groups_by_user={user: frozenset(groups) for user, groups in of_user.items()},
        units_below=children(units.values()),
        shifts={each.id: each for each in found["shift"]},
        shifts_of=by_user(found["shift"]),
        planned_until=head.get("planned_until", {}),
        ended_sessions=head["ended_sessions"],
        shut_out=head.get("shut_out", {}),
    )


REST = 20
"""How many times as long as a writing took nothing is written after it: a large city takes a third of a second."""


class CopyKeeper:
    """Keeps the copy on disk near the newest snapshot, with at least ``pause_s`` between two writings."""

    def __init__(self, path: Path, pause_s: float = 2.0) -> None:
        self._path = path
        self._pause = pause_s
        self._newest: Snapshot | None = None
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def keep(self, snapshot: Snapshot, *, at_once: bool = False) -> None:
        """Write this one soon, unless a newer one comes first; ``at_once``: without a pause after the one before."""
        self._newest = snapshot
        if at_once:
            self._hurry.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="directory-copy")

    async def aclose(self) -> None:
        """Write what waits, now."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._write()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._newest is not None:
            began = loop.time()
            self._hurry.clear()
            await self._write()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(self._pause, REST * (loop.time() - began))):
                    await self._hurry.wait()

    async def _write(self) -> None:
        snapshot, self._newest = self._newest, None
        if snapshot is None:
            return
        try:
            await save(self._path, snapshot)
        except asyncio.CancelledError:
            self._newest = self._newest or snapshot  # whoever closes it writes it whole
            raise
        except OSError as problem:
            self._newest = self._newest or snapshot
            log.error("directory_copy_failed", problem=str(problem))
