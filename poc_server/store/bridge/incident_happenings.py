"""What happened in a group, told to the incidents it belongs to, in the transaction of the fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.incidents.effects import EventOut
from gateway.incidents.lifecycle import Happened, handle
from groups.vocabulary import AgencyId, GroupId, IncidentCode
from poc_server.store.bridge import incident_events, incidents


async def tell(connection: AsyncConnection, group: GroupId, given: Happened, at_ms: int) -> None:
    """Adds an event to every incident of ``group``, as told ``at_ms``; one that is there already is passed over."""
    await tell_many(connection, [(group, given)], at_ms)


async def tell_many(connection: AsyncConnection, found: Sequence[tuple[GroupId, Happened]], at_ms: int) -> None:
    """As `tell`; nearly always these are groups of no incident, so that is asked of all of them at once."""
    codes = await incidents.of_groups(connection, {group for group, _ in found})
    for group, given in found:
        for agency, code in codes.get(group, ()):
            await tell_one(connection, agency, code, given, at_ms)


async def tell_new(connection: AsyncConnection, found: Sequence[tuple[GroupId, Happened]], at_ms: int) -> None:
    """As `tell`, for addresses of incidents and for what was mostly told before: which of it was, is asked at once."""
    addresses = await incidents.of_addresses(connection, {group for group, _ in found})
    by_agency: dict[AgencyId, dict[str, tuple[IncidentCode, Happened]]] = defaultdict(dict)
    for group, given in found:
        if group in addresses:
            agency, code = addresses[group]
            by_agency[agency].setdefault(_id(code, given), (code, given))
    for agency, by_id in by_agency.items():
        told = await incident_events.known(connection, agency, by_id)
        for key, (code, given) in by_id.items():
            if key not in told:
                await tell_one(connection, agency, code, given, at_ms)


async def tell_one(
    connection: AsyncConnection, agency: AgencyId, code: IncidentCode, given: Happened, at_ms: int
) -> None:
    """Adds an event to one incident; nothing where there is none."""
    state = await incidents.load(connection, agency, code)
    if state is None:
        return
    own = Happened(_id(code, given), given.type, given.at, given.user, given.data)
    after, effects = handle(state, own, at_ms)
    await incident_events.append(connection, agency, code, [each for each in effects if isinstance(each, EventOut)])
    if after != state:
        await incidents.save(connection, agency, after, at_ms)


def _id(code: IncidentCode, given: Happened) -> str:
    """An event's id is unique within the agency; several incidents may share a group."""
    return f"{code}/{given.id}"
