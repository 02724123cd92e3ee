"""Who is there now: connected, would hear, talks, is in danger. In memory, on every node of its own phones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from groups.model import User
from groups.policy import Act, may
from groups.vocabulary import GroupId, NotListening, UserId
from poc_server.api import rights
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body
from poc_server.talk.people import PersonHere

router = routes_of("people")
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


class PresenceNewsOut(Body):
    """``mark``: to be named the next time. ``whole``: everybody who is there; else who is different since then.

    ``gone``: users who are neither connected nor in an emergency any more. That duty begins or ends, or that one may
    see others than before, changes nobody: ask for the whole once a minute.
    """

    mark: str
    whole: bool
    people: list[PresenceOut]
    gone: list[str]


@router.get("/presence", **ruled(Act.SEE_PERSON))
async def list_presence(caller: SignedInCaller, services: Use) -> list[PresenceOut]:
    """Everybody one can see who is connected or in an emergency; who is not named is neither."""
    rights.colleagues(services, caller, Act.SEE_PERSON)
    return [] if services.presence is None else await _visible(services, caller, await services.presence.now())


@router.get("/presence/news", **ruled(Act.SEE_PERSON))
async def presence_news(
    caller: SignedInCaller,
    services: Use,
    since: Annotated[str, Query(max_length=40, description="The mark of the answer before; none: everybody")] = "",
) -> PresenceNewsOut:
    """The same for who asks again and again: only who came, went or is different since the answer before."""
    rights.colleagues(services, caller, Act.SEE_PERSON)
    if services.presence is None:
        return PresenceNewsOut(mark="", whole=True, people=[], gone=[])
    news = await services.presence.since(since)
    return PresenceNewsOut(
        mark=news.mark,
        whole=news.whole,
        people=await _visible(services, caller, news.people),
        gone=[user for user in news.gone if _seen(services, caller, user) is not None],
    )


def _seen(services: Services, caller: Caller, key: UserId) -> User | None:
    user = services.directory.user(key)
    return None if user is None or may(Act.SEE_PERSON, caller.user, user, services.directory) is not None else user


async def _visible(services: Services, caller: Caller, people: Sequence[PersonHere]) -> list[PresenceOut]:
    out, now, directory = [], services.store.clock(), services.directory
    for number, here in enumerate(people, 1):
        if number % LOOKED_AT_ONCE == 0:
            await asyncio.sleep(0)
        user = _seen(services, caller, here.user)
        if user is None:
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
