"""Hearing again from the field: what one missed, the last words once more, the burst on air from its beginning."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import FileResponse

from groups.policy import Act
from groups.vocabulary import GroupId, Refusal
from poc_server.api import rights
from poc_server.api.records.recordings import Form, Recorded, RecordingOut
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import SignedInCaller, Use
from poc_server.api.shapes import Body, Id
from poc_server.ground.refused import Refused
from poc_server.recording.layout import begun_of
from poc_server.recording.replaying.access import member_scope, scope_of
from poc_server.recording.replaying.listening import AudioForm
from poc_server.recording.replaying.missed import LONGEST_MS
from poc_server.store import absence
from poc_server.store.absence import Away
from poc_server.store.city import membership_periods
from poc_server.store.records import recordings as query
from poc_server.store.records.recordings import Search, Turn

router = routes_of("recordings")

MAX_MISSED = 200
"""Most that are listed at once; the others are said to be there, and follow."""
Ms = Annotated[int | None, Query(ge=0, le=2**53)]
After = Annotated[str | None, Query(pattern=r"^\d{1,2}\.\d{1,16}\.b-[0-9a-f]{24}$")]
Limit = Annotated[int, Query(ge=1, le=MAX_MISSED)]


class MissedOut(Body):
    """What was said in one's groups and calls in that time, as it is to be played: emergencies first.

    ``more`` come after those listed, ``more_ms`` long in all; ``next`` goes into ``after`` for them, absent when there
    are none.
    """

    from_ms: int
    until_ms: int
    recordings: list[RecordingOut]
    more: int
    more_ms: int
    next: str | None


@router.get("/missed", **ruled(Act.REPLAY))
async def missed(
    caller: SignedInCaller,
    services: Use,
    from_ms: Ms = None,
    until_ms: Ms = None,
    after: After = None,
    limit: Limit = MAX_MISSED,
) -> MissedOut:
    """What the caller missed while he was last away, or in a time of his choice; at most the last 24 hours."""
    now = services.store.clock()
    async with services.store.reading() as connection:
        away = await absence.last_away(connection, caller.user.id)
        known = away or Away(now, now)
        begin = max(known.from_ms if from_ms is None else from_ms, now - LONGEST_MS)
        end = known.until_ms if until_ms is None else until_ms
        search = Search(not_user=caller.user.id, from_ms=begin, until_ms=end)
        scope = member_scope(services.directory, caller.user.id)
        rows = await query.missed(connection, scope, search, limit, _turn(after) if after else None)
        more = more_ms = 0
        if len(rows) == limit:
            last = Turn(rows[-1].tier, rows[-1].started_ms, rows[-1].key)
            more, more_ms = await query.still_missed(connection, scope, search, last)
    return MissedOut(
        from_ms=begin,
        until_ms=end,
        recordings=[RecordingOut.of(row, services) for row in rows],
        more=more,
        more_ms=more_ms,
        next=f"{last.tier}.{last.started_ms}.{last.key}" if more else None,
    )


def _turn(after: str) -> Turn:
    tier, started_ms, key = after.split(".")
    return Turn(int(tier), int(started_ms), key)


@router.get("/groups/{group}/last-said", **ruled(Act.REPLAY, 404))
async def last_said(
    caller: SignedInCaller,
    services: Use,
    recorded: Recorded,
    group: Id,
    ended: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> RecordingOut:
    """The last burst of a group, to be said again. ``ended``: the burst that ended last (``floor_idle``), if known.

    One that ended a moment ago is waited for, at most three seconds. Refuses (not_found) when nothing was said, or
    nothing that the caller may hear.
    """
    row = await recorded.last_said.find(scope_of(services.directory, caller.user), GroupId(group), ended)
    if row is None:
        raise Refused(Refusal.NOT_FOUND, "nothing was said")
    return RecordingOut.of(row, services)


@router.get("/groups/{group}/on-air/audio", response_class=FileResponse, **ruled(Act.LISTEN, 404, 409))
async def on_air(
    caller: SignedInCaller, services: Use, recorded: Recorded, group: Id, form: Form = AudioForm.OGG
) -> FileResponse:
    """What was said so far in the burst that is on air, for one who came late.

    Refuses: not_found when nothing is on air, not_allowed who became a member after it had begun, and may replay the
    group by no office.
    """
    name = rights.group(services, caller, group, Act.LISTEN)
    spool = await recorded.on_air(name)
    if spool is not None and name not in scope_of(services.directory, caller.user).whole:
        async with services.store.reading() as connection:
            inside = await membership_periods.was_in(connection, name, caller.user.id, begun_of(spool))
        if not inside:
            services.audit(caller.actor, "recording.refused", "group", name)
            raise Refused(Refusal.NOT_ALLOWED, "it began before you were a member")
    path = await recorded.so_far(spool) if spool is not None else None
    if path is None:
        raise Refused(Refusal.NOT_FOUND, "nothing is on air")
    services.audit(caller.actor, "recording.so_far", "group", name)
    path = await recorded.listening.form_of(path, form)
    return FileResponse(path, media_type=form.media_type, content_disposition_type="inline")
