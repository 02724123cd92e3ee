"""Answers about a whole city: made and written a part at a time, so that voice has its turn in between.

What FastAPI is given it writes in one go: 5 MB of places held the loop for 60 ms.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any, TypeVar

from fastapi import Response
from pydantic import TypeAdapter

from poc_server.store.sql.statements import in_parts

AT_ONCE = 50
"""Things judged, made and written in one turn of the loop."""
IDS = TypeAdapter(list[str])
Thing = TypeVar("Thing")
Out = TypeVar("Out")


async def listed(
    form: TypeAdapter[list[Out]], things: Iterable[Thing], made: Callable[[Thing], Out | None], at_once: int = AT_ONCE
) -> bytes:
    """What is ``made`` of things, as JSON in their order; a thing of which nothing is made is left out."""
    parts = []
    for part in in_parts(things, at_once):
        parts.append(_inside(form, [out for each in part if (out := made(each)) is not None]))
        await asyncio.sleep(0)
    return _joined(parts)


async def listed_as_read(form: TypeAdapter[list[Out]], outs: AsyncIterable[Out], at_once: int = AT_ONCE) -> bytes:
    """The same of what is read and made one by one, by somebody who gives others their turn."""
    parts, waiting = [], []
    async for out in outs:
        waiting.append(out)
        if len(waiting) == at_once:
            parts.append(_inside(form, waiting))
            waiting = []
    return _joined([*parts, _inside(form, waiting)])


def object_of(small: dict[str, Any], **lists: bytes) -> Response:
    """An answer of ``small`` things and of ``lists`` that are written already; its route names ``response_model``."""
    fields = {name: _json(value) for name, value in small.items()} | lists
    return written(b"{%s}" % b",".join(b"%s:%s" % (_json(name), value) for name, value in fields.items()))


def written(body: bytes) -> Response:
    """An answer that is written already; its route names ``response_model``."""
    return Response(body, media_type="application/json")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _inside(form: TypeAdapter[list[Out]], part: list[Out]) -> bytes:
    return form.dump_json(part)[1:-1]


def _joined(parts: Iterable[bytes]) -> bytes:
    return b"[%s]" % b",".join(part for part in parts if part)
