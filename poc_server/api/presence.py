"""Who is there now: connected, would hear, talks, is in danger. In memory, on every node of its own phones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Response
from pydantic import TypeAdapter

from groups.model import User
from groups.policy import Act, may
from groups.vocabulary import GroupId, NotListening, UserId
from poc_server.api import rights
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body
from poc_server.api.written import IDS, listed, object_of, written
from poc_server.talk.people import PersonHere
from poc_server.talk.people_watch import News

router = routes_of("people")


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


_PEOPLE = TypeAdapter(list[PresenceOut])


@router.get("/presence", response_model=list[PresenceOut], **ruled(Act.SEE_PERSON))
async def list_presence(caller: SignedInCaller, services: Use) -> Response:
    """Everybody one can see who is connected or in an emergency; who is not named is neither."""
    rights.colleagues(services, caller, Act.SEE_PERSON)
    people = [] if services.presence is None else await services.presence.now()
    return written(await listed(_PEOPLE, people, _as_seen(services, caller)))


@router.get("/presence/news", response_model=PresenceNewsOut, **ruled(Act.SEE_PERSON))
async def presence_news(
    caller: SignedInCaller,
    services: Use,
    since: Annotated[str, Query(max_length=40, description="The mark of the answer before; none: everybody")] = "",
) -> Response:
    """The same for who asks again and again: only who came, went or is different since the answer before."""
    rights.colleagues(services, caller, Act.SEE_PERSON)
    news = News("", True, [], []) if services.presence is None else await services.presence.since(since)
    return object_of(
        {"mark": news.mark, "whole": news.whole},
        people=await listed(_PEOPLE, news.people, _as_seen(services, caller)),
        gone=await listed(IDS, news.gone, lambda user: None if _seen(services, caller, user) is None else user),
    )


def _seen(services: Services, caller: Caller, key: UserId) -> User | None:
    user = services.directory.user(key)
    return None if user is None or may(Act.SEE_PERSON, caller.user, user, services.directory) is not None else user


def _as_seen(services: Services, caller: Caller) -> Callable[[PersonHere], PresenceOut | None]:
    """How the caller sees one who is there; None: not at all."""
    now, directory = services.store.clock(), services.directory

    def made(here: PersonHere) -> PresenceOut | None:
        user = _seen(services, caller, here.user)
        if user is None:
            return None
        located = may(Act.LOCATE, caller.user, user, directory) is None
        return PresenceOut(
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

    return made
