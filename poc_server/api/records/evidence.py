"""The signed heads of the evidence chains, for whoever keeps them elsewhere."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import Path
from fastapi.responses import PlainTextResponse

from groups.policy import Act
from groups.vocabulary import GroupId
from poc_server.api import rights
from poc_server.api.records.recordings import Recorded
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import SignedInCaller, Use
from poc_server.ground.chain import head_to_json
from poc_server.store.records import evidence

router = routes_of("recordings", "/evidence")
Day = Annotated[str, Path(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class JsonLines(PlainTextResponse):
    """One JSON value a line."""

    media_type = "application/jsonl"


@router.get("/heads/{day}", response_class=JsonLines, **ruled(Act.READ_AUDIT))
async def heads(caller: SignedInCaller, services: Use, day: Day) -> JsonLines:
    """How the chains of a day stand: one signed head a line, as ``poc-server verify --heads`` reads them.

    Groups of other agencies are left out; those that are gone belong to everybody.
    """
    agency = rights.own_agency(services, caller)
    rights.allow(services, caller, Act.READ_AUDIT, agency)
    async with services.store.reading() as connection:
        found = await evidence.heads(connection, days=[day])
    groups = [services.directory.group(GroupId(signed.head.group)) for signed in found]
    mine = [signed for signed, group in zip(found, groups, strict=True) if group is None or group.agency == agency.id]
    lines = (json.dumps(head_to_json(signed), ensure_ascii=False, sort_keys=True) for signed in mine)
    return JsonLines("".join(f"{line}\n" for line in lines))


@router.get("/keys", **ruled(Act.READ_AUDIT))
async def keys(caller: SignedInCaller, services: Use, recorded: Recorded) -> dict[str, str]:
    """The public keys that have signed here: name → PEM."""
    rights.allow(services, caller, Act.READ_AUDIT, rights.own_agency(services, caller))
    return recorded.notary.trusted()
