"""What was written in the group of a case, to who handles it; also when it is archived and no phone has its group."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from groups.policy import Act
from groups.vocabulary import StatusWord, TextKind, UserId
from poc_server.api.bridge.incident_tellers import Told
from poc_server.api.bridge.incidents import Code, Shape
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.store import texts
from poc_server.store.bridge import incidents

router = routes_of("incidents")


class TextOut(Shape):
    """One message. ``number`` grows by one from message to message; ``name`` is empty when he is deleted since."""

    number: int
    at_ms: int
    user: str
    name: str
    kind: TextKind
    text: str
    status: StatusWord | None


class TextsOut(Shape):
    """The newest that were asked for, the oldest of them first; whether there are more before them."""

    texts: list[TextOut]
    more: bool


@router.get("/incidents/{code}/texts", responses=documented(401, 403, 404, 422, 503))
async def get_texts(
    code: Code,
    told: Told,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> TextsOut:
    """What was written in the group of a case, as long as texts are kept, whatever became of the group; audited.

    For a system, and for who handles the case and may replay all that is said in its unit.
    """
    await told.find(code)
    await told.replay(code)
    group = incidents.group_of(told.agency, code)
    async with told.services.store.reading() as connection:
        rows, more = await texts.page(connection, texts.thread_of_group(group), limit, before)
    detail = {"texts": True, "incident": code}
    told.services.audit(told.actor, Act.REPLAY.value, "group", group, detail, told.agency)
    users = told.services.directory.snapshot.users
    found = []
    for row in rows:
        by = users.get(UserId(row.by_id))
        status = None if row.status is None else StatusWord(row.status)
        found.append(
            TextOut(
                number=row.number,
                at_ms=row.at_ms,
                user=row.by_id,
                name=by.name if by else "",
                kind=TextKind(row.kind),
                text=row.text,
                status=status,
            )
        )
    return TextsOut(texts=found, more=more)
