"""What a CAP message does here: which broadcast it becomes, and which it takes back. Nothing but `Actual` is urgent."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.cap.cap import MAX_POLYGONS, CapAlert, CapArea, CapInfo, moment, references
from gateway.cap.cap_tiers import DEFAULT_RULES, TIERS, CapRule, rule_for
from groups.vocabulary import AgencyId, Refusal, Tier
from signaling.limits import MAX_BROADCAST_HOURS, MAX_TEXT_CHARS
from signaling.messages import Refused

DAY_S = 86_400
FUTURE_S = 900
"""A sender's clock may be so far ahead of ours."""
KM_PER_DEGREE = 111.2
CIRCLE_POINTS = 32
MARKS = {"Exercise": "【演练】", "Test": "【测试】", "System": "【系统】"}
"""Stands before the words of what is not meant in earnest."""

Ring = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done.

    Attributes:
        broadcast: id of the broadcast; the same message, come twice, has the same.
        replaces: ids of broadcasts to take back.
        text: None when nothing new is to be said (Cancel, Ack, Error, a rule tells nobody, an Update that has run out).
        acknowledge: each recipient is to confirm it.
        rings: areas as rings of (longitude, latitude) in WGS-84; none: everybody.
    """

    broadcast: str
    replaces: tuple[str, ...] = ()
    text: str | None = None
    tier: Tier = Tier.NORMAL
    acknowledge: bool = False
    exercise: bool = False
    expires_s: int = DAY_S
    rings: tuple[Ring, ...] = ()


def order_of(alert: CapAlert, agency: AgencyId, now_ms: int, rules: Sequence[CapRule] = DEFAULT_RULES) -> Order:
    """What ``alert`` orders in the agency that takes it; ``rules`` say with which tier it is told.

    Raises `Refused`: bad_message (a draft, times that contradict each other), clock_skew (sent in the future),
    expired, bad_area, too_many.
    """
    if alert.status == "Draft":
        raise Refused(Refusal.BAD_MESSAGE)
    if moment(alert.sent).timestamp() > now_ms / 1000 + FUTURE_S:
        raise Refused(Refusal.CLOCK_SKEW)
    name = broadcast_id(agency, alert.sender, alert.identifier, alert.sent)
    taken = tuple(broadcast_id(agency, *each) for each in references(alert))
    if alert.msgType in ("Ack", "Error"):
        return Order(name)
    if alert.msgType == "Cancel":
        return Order(name, taken)
    info = _info(alert)
    rule, actual = rule_for(alert, info, rules), alert.status == "Actual"
    expires_s, rings = _seconds(alert, info, now_ms), _rings(info)
    replaces = taken if alert.msgType == "Update" else ()
    if expires_s <= 0 and not replaces:
        raise Refused(Refusal.EXPIRED)
    if rule.tell == "nobody" or expires_s <= 0:
        return Order(name, replaces)
    return Order(
        name,
        replaces,
        text=_words(alert, info),
        tier=TIERS[rule.tell] if actual else Tier.NORMAL,
        acknowledge=rule.acknowledge and actual,
        exercise=not actual,
        expires_s=max(10, min(expires_s, MAX_BROADCAST_HOURS * 3_600)),
        rings=rings,
    )


def broadcast_id(agency: AgencyId, sender: str, identifier: str, sent: str) -> str:
    """A CAP message is named by the last three together (CAP 1.2 §3.2.1, references).

    Each agency has its own broadcast of it: what one has taken, or taken back before it came, keeps no other from it.
    """
    return "cap-" + hashlib.sha256(f"{agency},{sender},{identifier},{sent}".encode()).hexdigest()[:40]


def _info(alert: CapAlert) -> CapInfo:
    """The one in Chinese, where there are several; else the first."""
    chinese = (info for info in alert.info if (info.language or "").lower().startswith("zh"))
    return next(chinese, alert.info[0])


def _words(alert: CapAlert, info: CapInfo) -> str:
    parts = (info.headline or info.event, info.description, info.instruction)
    said = "\n".join(part for part in parts if part)
    return (MARKS.get(alert.status, "") + said)[:MAX_TEXT_CHARS]


def _seconds(alert: CapAlert, info: CapInfo, now_ms: int) -> int:
    """How long it still holds; 0 or less: its time is over. Without `expires` it holds a day from when it was sent."""
    if info.expires is None:
        return int(moment(alert.sent).timestamp() + DAY_S - now_ms / 1000)
    expires = moment(info.expires)
    if expires <= moment(info.effective or alert.sent):
        raise Refused(Refusal.BAD_MESSAGE)
    return int(expires.timestamp() - now_ms / 1000)


def _rings(info: CapInfo) -> tuple[Ring, ...]:
    rings = [ring for area in info.area for ring in _of_area(area)]
    if len(rings) > MAX_POLYGONS:
        raise Refused(Refusal.TOO_MANY)
    return tuple(rings)


def _of_area(area: CapArea) -> list[Ring]:
    rings: list[Ring] = []
    for text in area.polygon:
        pairs = [pair.split(",") for pair in text.split()]
        rings.append([(float(longitude), float(latitude)) for latitude, longitude in pairs])
    for text in area.circle:
        point, radius = text.split()
        latitude, longitude = (float(part) for part in point.split(","))
        # Of no radius it is a point: an area nobody can be in, and not the lack of one, which means everybody.
        rings.append(circle(longitude, latitude, float(radius)))
    return rings


def circle(longitude: float, latitude: float, radius_km: float) -> Ring:
    """A ring of `CIRCLE_POINTS` corners around a point. Raises `Refused` (bad_area) at the poles."""
    shrink = math.cos(math.radians(latitude))
    if shrink < 0.01:
        raise Refused(Refusal.BAD_AREA)
    high, wide = radius_km / KM_PER_DEGREE, radius_km / KM_PER_DEGREE / shrink
    ring = [
        (longitude + wide * math.cos(2 * math.pi * step / CIRCLE_POINTS),
         latitude + high * math.sin(2 * math.pi * step / CIRCLE_POINTS))
        for step in range(CIRCLE_POINTS)
    ]  # fmt: skip
    return [*ring, ring[0]]
