"""What happened in a group, told to the incidents it belongs to, in the transaction of the fact."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.effects import EventOut
from gateway.lifecycle import Happened, handle
from groups.vocabulary import AgencyId, GroupId, IncidentCode
from poc_server.store import incidents
from poc_server.store.ids import now_ms


async def tell(connection: AsyncConnection, group: GroupId, given: Happened) -> None:
    """Adds an event to every incident of ``group``; one that is there already is passed over."""
    for agency, code in await incidents.of_group(connection, group):
        await tell_one(connection, agency, code, given)


async def tell_one(connection: AsyncConnection, agency: AgencyId, code: IncidentCode, given: Happened) -> None:
    """Adds an event to one incident; nothing where there is none."""
    state = await incidents.load(connection, agency, code)
    if state is None:
        return
    now = now_ms()
    # An event's id is unique within the agency; several incidents may share a group.
    own = Happened(f"{code}/{given.id}", given.type, given.at, given.user, given.data)
    after, effects = handle(state, own, now)
    await incidents.append(connection, agency, code, [each for each in effects if isinstance(each, EventOut)])
    if after != state:
        await incidents.save(connection, agency, after, now)
