"""Emergencies on the wire: SOS and its alert, the emergency state of a group, a leader's call.

What must outlive a crash has an id made by the client (alert, call): the same message may be sent again and does
nothing twice.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from groups.vocabulary import AlertState, Tier
from signaling.limits import MAX_AREA_POINTS, MAX_PHONE_CHARS, MAX_RECIPIENTS_PICKED, MAX_TEXT_CHARS
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


class SosRules(Message):
    """How the SOS key works here, by the operator's configuration. Sent after each `Welcome` to those who have the key.

    Attributes:
        hold_ms: the key must be held so long; 0: a touch is enough.
        countdown_ms: after that it may be taken back for so long before anything is sent; 0: it is sent at once.
        covert: the page shows and sounds nothing of it.
        phone: number of the centre, for a ``tel:`` link while the SOS is not confirmed; empty: there is none.
        again_ms: sent again so often until it is confirmed.
        microphone_ms: the microphone is opened for so long as soon as the phone is brought into the group of its alert,
            which waits for nothing; 0: not before it is confirmed.
        group: where his SOS is said whatever he has selected; None: in the group he has selected, if it may be.
            A page asks for the floor there with the SOS itself, and is heard a round trip earlier.
    """

    type: Literal["sos_rules"] = "sos_rules"
    hold_ms: int
    countdown_ms: int
    covert: bool
    phone: Annotated[str, StringConstraints(max_length=MAX_PHONE_CHARS)] = ""
    again_ms: int = 500
    microphone_ms: int = 0
    group: Id | None = None


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
        left_by: who had taken it and had no page connected any more, so that it rings again.
        escalated: how often nobody claimed it in time.
        told: at how many phones of dispatchers it rings, as far as is known; grows when one comes on while it is open.
        version: grows with each change; an older one that comes late is to be ignored.
        kept: false while neither SQL nor the disk has taken the last step; it is told again, with the same version, as
            soon as one has.
        gone_ms: since when no page of the officer has been connected: his phone is out of reach, or off. Told with the
            same version when that begins and when it is over.
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
    left_by: Person | None = None
    acknowledged_ms: int | None = None
    ended_by: Person | None = None
    ended_ms: int | None = None
    note: Text = ""
    escalated: int = 0
    told: int = 0
    version: int = 1
    kept: bool = True
    gone_ms: int | None = None


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
    """Who has the alert: exactly one. ``yours`` is False for the second, who learns here who was first.

    ``kept`` as in `EmergencyCallStarted`.
    """

    type: Literal["alert_claimed"] = "alert_claimed"
    id: RequestId
    alert: Id
    by: Person
    yours: bool
    kept: bool = True


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
    """Answer to `EmergencyCall`: press on ``group`` now. ``people`` are called, ``online`` of them are brought in.

    ``kept`` false: neither SQL nor the disk has taken it yet; it goes on all the same, and is kept as soon as one can.
    """

    type: Literal["emergency_call_started"] = "emergency_call_started"
    id: RequestId
    call: Id
    group: GroupSnapshot
    tier: Tier
    people: int
    online: int
    kept: bool = True


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
