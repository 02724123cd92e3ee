"""Emergencies on the wire: SOS and its alert, the emergency state of a group, a leader's call and broadcast, receipts.

Everything here that must outlive a crash has an id made by the client (alert, call, broadcast): the same message may
be sent again and does nothing twice.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from groups.vocabulary import AlertState, BroadcastKind, ReceiptState, Tier
from signaling.limits import (
    MAX_AREA_POINTS,
    MAX_BROADCAST_HOURS,
    MAX_RECIPIENTS_PICKED,
    MAX_TEXT_CHARS,
)
from signaling.messages.base import Id, Message, Name, RequestId
from signaling.messages.group import GroupSnapshot, Person

Ms = Annotated[int, Field(ge=0, le=2**53)]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)]
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Ids = Annotated[list[Id], Field(max_length=MAX_RECIPIENTS_PICKED)]


class Whereabouts(Message):
    """A place, and when it was measured. Degrees in ``datum``; ``accuracy_m`` is the radius of 68 % in metres."""

    longitude: Degrees
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    accuracy_m: Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] | None = None
    datum: Literal["WGS-84", "GCJ-02", "CGCS2000"] = "WGS-84"
    at_ms: Ms


class Area(Message):
    """A polygon as a closed ring of [longitude, latitude]: first point repeated at the end, no crossing edges."""

    ring: Annotated[list[tuple[Degrees, Degrees]], Field(max_length=MAX_AREA_POINTS)]
    datum: Literal["WGS-84", "GCJ-02", "CGCS2000"] = "WGS-84"


class Recipients(Message):
    """To whom: the union of all that is named, without the sender. In an ``area`` are those last known to be there."""

    users: Ids = Field(default_factory=list)
    groups: Ids = Field(default_factory=list)
    units: Ids = Field(default_factory=list)
    area: Area | None = None
    everyone: bool = False


# --- SOS -------------------------------------------------------------------------------------------------------------


class Sos(Message):
    """One-key SOS (一键报警). Sent again every 500 ms, and by HTTPS at once, with the same ``alert``, until confirmed.

    ``pressed_ms`` is the device's clock when the key went down. ``group``: where it is said, else the selected one.
    """

    type: Literal["sos"] = "sos"
    id: RequestId
    alert: Id
    pressed_ms: Ms
    group: Id | None = None
    place: Whereabouts | None = None
    battery: Annotated[int, Field(ge=0, le=100)] | None = None
    incident: Name | None = None
    covert: bool = False


class SosConfirmed(Message):
    """Answer to `Sos`: it is kept, and will be told to whom it concerns whatever happens to this server.

    From now on the floor of ``group`` is the officer's to take: send `FloorRequest` at once and keep the microphone
    open for ``microphone_ms``. ``told`` is how many dispatchers' phones it went to.
    """

    type: Literal["sos_confirmed"] = "sos_confirmed"
    id: RequestId
    alert: Id
    group: Id | None = None
    state: AlertState
    raised_ms: int
    microphone_ms: int
    told: int


class SosCancel(Message):
    """The officer takes it back. Answered by `Ok`, or ``emergency_talking`` while another in emergency talks."""

    type: Literal["sos_cancel"] = "sos_cancel"
    id: RequestId
    alert: Id


class AlertInfo(Message):
    """An alert as it stands. Times are the server's clock, but ``pressed_ms`` and the place's are the device's.

    Attributes:
        raised_ms: when the server first got it.
        escalated: how often nobody claimed it in time.
        version: grows with each change; an older one that comes late is to be ignored.
    """

    id: Id
    by: Person
    state: AlertState
    tier: Tier = Tier.EMERGENCY
    group: Id | None = None
    group_name: Name = ""
    pressed_ms: int
    raised_ms: int
    place: Whereabouts | None = None
    battery: int | None = None
    incident: Name | None = None
    covert: bool = False
    claimed_by: Person | None = None
    claimed_ms: int | None = None
    acknowledged_ms: int | None = None
    ended_by: Person | None = None
    ended_ms: int | None = None
    note: Text = ""
    escalated: int = 0
    version: int = 1


class Alert(Message):
    """An alert began or is different now: to the dispatchers it reaches, to its group, and to the officer himself.

    ``queue``: this phone's user may claim it. Sent again after each `Welcome` while it is open.
    """

    type: Literal["alert"] = "alert"
    alert: AlertInfo
    queue: bool = False


class AlertClaim(Message):
    """A dispatcher takes it on. Answered by `AlertClaimed`."""

    type: Literal["alert_claim"] = "alert_claim"
    id: RequestId
    alert: Id


class AlertClaimed(Message):
    """Who has the alert: exactly one. ``yours`` is False for the second, who learns here who was first."""

    type: Literal["alert_claimed"] = "alert_claimed"
    id: RequestId
    alert: Id
    by: Person
    yours: bool


class AlertAcknowledge(Message):
    """Who claimed it tells the officer: he is heard, and sees and feels it. Answered by `Ok`."""

    type: Literal["alert_acknowledge"] = "alert_acknowledge"
    id: RequestId
    alert: Id


class AlertResolve(Message):
    """Who claimed it closes it; the emergency of its user and group ends. Answered by `Ok`."""

    type: Literal["alert_resolve"] = "alert_resolve"
    id: RequestId
    alert: Id
    outcome: Literal[AlertState.RESOLVED, AlertState.FALSE_ALARM]
    note: Text = ""


# --- the state of a group, and calls in it ---------------------------------------------------------------------------


class EmergencyState(Message):
    """The condition of a group: normal, imminent peril or emergency in progress. To members and those brought in."""

    type: Literal["emergency_state"] = "emergency_state"
    group: Id
    tier: Tier
    by: Person | None = None
    since_ms: int | None = None


class EmergencyCall(Message):
    """A two-way emergency call over whatever goes on. One group alone: its own condition; else a group for the call.

    ``tier`` 1 declares imminent peril, 2 emergency; sent again with another tier it upgrades or downgrades the running
    call. Refused with ``ordinary_only`` when only an ordinary call is allowed: offer that.
    """

    type: Literal["emergency_call"] = "emergency_call"
    id: RequestId
    call: Id
    to: Recipients
    tier: Tier = Tier.EMERGENCY
    name: Name = ""


class EmergencyCallStarted(Message):
    """Answer to `EmergencyCall`: press on ``group`` now. ``people`` are called, ``online`` of them are brought in."""

    type: Literal["emergency_call_started"] = "emergency_call_started"
    id: RequestId
    call: Id
    group: GroupSnapshot
    tier: Tier
    people: int
    online: int


class EmergencyCancel(Message):
    """Ends the emergency of a group: by its initiator or one who may. Answered by `Ok` or ``emergency_talking``."""

    type: Literal["emergency_cancel"] = "emergency_cancel"
    id: RequestId
    group: Id


class BroughtIn(Message):
    """You hear this group from now on without having selected it, and may talk in it if ``may_talk``.

    Sent again after each `Welcome` while it lasts. ``call``: the alert, call or broadcast it is for.
    """

    type: Literal["brought_in"] = "brought_in"
    call: Id
    why: Literal["alert", "emergency", "broadcast"]
    group: GroupSnapshot
    by: Person
    tier: Tier
    may_talk: bool


class BroughtOut(Message):
    """What you were brought into is over."""

    type: Literal["brought_out"] = "brought_out"
    call: Id
    group: Id


# --- broadcasts ------------------------------------------------------------------------------------------------------


class BroadcastStart(Message):
    """A leader's broadcast: only he talks. Kept until ``expires_s``; who is offline gets it on return.

    ``live``: press `FloorRequest` on the group of the answer; the release ends it. ``recorded``: ``message`` is
    the id of an uploaded one. ``text`` and ``roll_call`` carry ``text``.
    """

    type: Literal["broadcast_start"] = "broadcast_start"
    id: RequestId
    broadcast: Id
    to: Recipients
    kind: BroadcastKind = BroadcastKind.LIVE
    tier: Tier = Tier.NORMAL
    text: Text = ""
    message: Id | None = None
    acknowledge: bool = False
    expires_s: Annotated[int, Field(ge=10, le=MAX_BROADCAST_HOURS * 3_600)] = 86_400
    exercise: bool = False


class BroadcastStarted(Message):
    """Answer to `BroadcastStart`. ``group`` is there for ``live`` only."""

    type: Literal["broadcast_started"] = "broadcast_started"
    id: RequestId
    broadcast: Id
    group: GroupSnapshot | None = None
    people: int
    online: int


class BroadcastInfo(Message):
    """A broadcast as those it reaches see it. ``burst`` is what was said last, to be heard again from its start."""

    id: Id
    by: Person
    kind: BroadcastKind
    tier: Tier = Tier.NORMAL
    text: Text = ""
    group: Id | None = None
    burst: int | None = None
    at_ms: int
    expires_ms: int
    acknowledge: bool = False
    exercise: bool = False
    state: Literal["running", "over", "withdrawn", "expired"] = "running"


class Broadcast(Message):
    """A broadcast for you. Answer with `Receipt` ``delivered``; it comes again after each `Welcome` until it has one.

    ``receipt`` is how far it came with you already.
    """

    type: Literal["broadcast"] = "broadcast"
    broadcast: BroadcastInfo
    receipt: ReceiptState = ReceiptState.SENT


class Receipt(Message):
    """How far a broadcast came with this person. Answered by `Ok` when it is kept; say it again until then.

    ``heard``: of the samples of the burst that should have been played, those that were, without the concealed ones;
    only when the audio context runs, is not muted and the page is not frozen. The server takes it from 80 % on and
    unless its own counts contradict (``not_heard``). ``text`` and ``roll_call`` are not heard but ``acknowledged``.
    """

    type: Literal["receipt"] = "receipt"
    id: RequestId
    broadcast: Id
    state: Literal[ReceiptState.DELIVERED, ReceiptState.HEARD, ReceiptState.ACKNOWLEDGED]
    samples_expected: Annotated[int, Field(ge=0, le=2**53)] | None = None
    samples_played: Annotated[int, Field(ge=0, le=2**53)] | None = None


class PersonReceipt(Message):
    """How far it came with one person, and since when. ``online``: he has a phone connected now."""

    person: Person
    state: ReceiptState
    at_ms: int
    online: bool = False


class BroadcastTally(Message):
    """To the initiator, live: how many it reached how far, each counted at the furthest point, and who changed.

    The whole list: ``GET /api/v1/broadcasts/{id}``.
    """

    type: Literal["broadcast_tally"] = "broadcast_tally"
    broadcast: Id
    state: Literal["running", "over", "withdrawn", "expired"]
    people: int
    sent: int
    delivered: int
    heard: int
    acknowledged: int
    missed: int
    waiting: int
    changed: list[PersonReceipt]


class BroadcastEnd(Message):
    """Its initiator (or one who may end calls) ends a live broadcast, or withdraws it from all. Answered by `Ok`."""

    type: Literal["broadcast_end"] = "broadcast_end"
    id: RequestId
    broadcast: Id
    withdraw: bool = False


class PlanRun(Message):
    """Starts a saved plan (应急方案). Answered as what it starts: `BroadcastStarted` or `EmergencyCallStarted`.

    ``call`` becomes the id of the call or broadcast.
    """

    type: Literal["plan_run"] = "plan_run"
    id: RequestId
    plan: Id
    call: Id
