"""Who is there now: connected, would hear, talks, is in danger. In memory, on every node of its own phones."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from groups.policy import Act, may
from groups.vocabulary import GroupId, NotListening
from poc_server.api import rights
from poc_server.api.rights import ruled
from poc_server.api.services import SignedInCaller, Use
from poc_server.api.shapes import Body
from poc_server.store.ids import now_ms

router = APIRouter(tags=["people"])
LOOKED_AT_ONCE = 200
"""People judged before voice gets its turn again: a city has thousands."""


class PresenceOut(Body):
    """One who is connected, or in an emergency.

    ``listening``: a burst would be heard now; else ``reason`` says why not. ``busy``: in a call, or on the air,
    wherever that be. ``group`` (which he selected) and ``talking_in`` only for those who may locate him,
    ``emergency`` for those who may claim his alert.
    """

    user: str
    name: str
    badge: str
    online: bool
    listening: bool
    busy: bool
    reason: NotListening | None
    emergency: bool
    on_duty: bool
    group: GroupId | None
    talking_in: GroupId | None


@router.get("/presence", **ruled(Act.SEE_PERSON))
async def list_presence(caller: SignedInCaller, services: Use) -> list[PresenceOut]:
    """Everybody one can see who is connected or in an emergency; who is not named is neither."""
    rights.colleagues(services, caller, Act.SEE_PERSON)
    if services.presence is None:
        return []
    out, now, directory = [], now_ms(), services.directory
    for number, here in enumerate(services.presence()):
        if number % LOOKED_AT_ONCE == LOOKED_AT_ONCE - 1:
            await asyncio.sleep(0)
        user = directory.user(here.user)
        if user is None or may(Act.SEE_PERSON, caller.user, user, directory) is not None:
            continue
        located = may(Act.LOCATE, caller.user, user, directory) is None
        out.append(
            PresenceOut(
                user=user.id,
                name=user.name,
                badge=user.badge,
                online=here.online,
                listening=here.listening,
                busy=here.busy,
                reason=here.reason,
                emergency=here.emergency and may(Act.CLAIM_ALERT, caller.user, user, directory) is None,
                on_duty=directory.on_duty(user.id, now),
                group=here.selected if located else None,
                talking_in=here.talking_in if located else None,
            )
        )
    return out
