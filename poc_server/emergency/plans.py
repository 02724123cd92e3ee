"""What a saved plan starts: its form as it is kept, and its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from groups.model import User
from groups.policy import Act, may
from groups.vocabulary import BroadcastKind, Refusal, Tier
from poc_server.emergency.calls import LiveEmergency
from poc_server.emergency.keeping import START_WITHIN_S, Keeping
from poc_server.emergency.live_broadcast import LiveBroadcast
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store import plans as kept
from poc_server.store.plans import Plan
from signaling.limits import MAX_BROADCAST_HOURS
from signaling.messages import BroadcastStart, EmergencyCall, PlanRun, Recipients
from signaling.messages.base import Id, Name
from signaling.messages.emergency import Text

if TYPE_CHECKING:
    from poc_server.emergency.emergency import Emergency


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    to: Recipients


class PlannedBroadcast(_Part):
    """A broadcast."""

    what: Literal["broadcast"] = "broadcast"
    kind: BroadcastKind = BroadcastKind.LIVE
    tier: Tier = Tier.NORMAL
    text: Text = ""
    message: Id | None = None
    acknowledge: bool = False
    expires_s: Annotated[int, Field(ge=1, le=MAX_BROADCAST_HOURS * 3_600)] = 86_400
    exercise: bool = False


class PlannedCall(_Part):
    """A two-way emergency call."""

    what: Literal["call"] = "call"
    tier: Tier = Tier.EMERGENCY
    name: Name = ""


Planned = Annotated[PlannedBroadcast | PlannedCall, Field(discriminator="what")]
planned: TypeAdapter[PlannedBroadcast | PlannedCall] = TypeAdapter(Planned)


async def run(desk: Emergency, user: User, asked: PlanRun) -> LiveBroadcast | LiveEmergency:
    """Start what a plan says; whom it reaches is judged by the rights of the one who runs it. Raises `Refused`."""
    found = await _read(desk, asked.plan)
    if found is None or not may_see(desk, user, found):
        raise Refused(Refusal.NOT_FOUND, "plan")
    plan = planned.validate_python(found.content)
    fields = plan.model_dump(exclude={"what"})
    if isinstance(plan, PlannedCall):
        call = EmergencyCall.model_validate({**fields, "id": asked.id, "call": asked.call})
        return await desk.calls.start(user, call)
    start = BroadcastStart.model_validate({**fields, "id": asked.id, "broadcast": asked.call})
    return await desk.broadcasts.start(user, start)


async def _read(desk: Emergency, plan: str) -> Plan | None:
    """A SQL that is slow is none: the page then asks for what it has read of the plan. Raises `StoreUnavailable`."""

    async def in_sql() -> Plan | None:
        async with desk.store.reading() as connection:
            return await kept.find_plan(connection, plan)

    done = await Keeping(desk).in_sql(in_sql(), START_WITHIN_S)
    if done is None:
        raise StoreUnavailable("a plan")
    return done[0]


def may_see(desk: Emergency, user: User, plan: Plan) -> bool:
    """Whether the plan is his to see, to run and to change: plans of his own unit and those below."""
    unit = desk.store.directory.unit(plan.unit)
    return (
        unit is not None
        and plan.agency == user.agency
        and may(Act.KEEP_PLANS, user, unit, desk.store.directory) is None
    )
