"""What is known of a talk burst: at its begin, and when its file stands on disk."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from groups.vocabulary import AgencyId, BurstEnd, BurstId, CallId, DeviceId, GroupId, IncidentCode, Tier, UnitId, UserId


@dataclass(frozen=True, slots=True)
class Place:
    """Where the talker was: degrees in ``datum``, ``accuracy_m`` metres.

    ``age_ms`` is how old the place was when the burst began; ``source`` names who measured it (gps, network,
    cell, manual), never left to be guessed.
    """

    longitude: float
    latitude: float
    source: str
    age_ms: int
    accuracy_m: float | None = None
    datum: str = "WGS-84"


@dataclass(frozen=True, slots=True)
class RecordedBurst:
    """A talk burst whose voice is kept, as it begins. Times are ms since the epoch on the fabric's clock.

    ``started_ms`` is the grant. ``from_ms`` is when this recording of it began, set by the recorder: a burst whose
    talker moves to another node has one recording on each. ``unit`` is the group's. ``hearers`` are the parties of a
    call whose group is gone with it.
    """

    agency: AgencyId
    group: GroupId
    burst: BurstId
    talker: UserId | None
    talker_name: str
    node: str
    started_ms: int
    call: CallId | None = None
    device: DeviceId | None = None
    unit: UnitId | None = None
    hearers: tuple[UserId, ...] = ()
    tier: Tier = Tier.NORMAL
    priority: int = 0
    incident: IncidentCode | None = None
    place: Place | None = None
    from_ms: int = 0

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {"tier": int(self.tier)}

    @staticmethod
    def from_json(value: dict[str, Any]) -> RecordedBurst:
        """From JSON values. Raises KeyError, TypeError or ValueError when it is not one."""
        place = value.get("place")
        return RecordedBurst(
            **value
            | {
                "tier": Tier(value["tier"]),
                "hearers": tuple(value["hearers"]),
                "place": Place(**place) if place else None,
            }
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """A talk burst whose file stands on disk: what becomes a row, and what the evidence chain commits to.

    Attributes:
        ended_ms: ms since the epoch; never before ``started_ms``.
        duration_ms: what plays: packets and filled gaps.
        packets: voice packets in the file.
        lost: frames that never came from the talker (filled, RFC 7845 §4.1).
        unrecorded: packets that came but that the disk did not take.
        filled_ms: part of ``duration_ms`` that is filling.
        file: path below the recordings folder, ``/`` between parts.
        size: bytes of the file.
        sha256: of the file, hexadecimal.
        peaks: loudest sample of each of equally long slices, 0–255; for drawing only, not evidence.
    """

    meta: RecordedBurst
    outcome: BurstEnd
    ended_ms: int
    duration_ms: int
    packets: int
    lost: int
    unrecorded: int
    filled_ms: int
    file: str
    size: int
    sha256: str
    peaks: bytes = b""

    @property
    def key(self) -> str:
        """Unique among all recordings; the burst id is unique within its group only."""
        return f"{self.meta.group}/{int(self.meta.burst)}/{self.meta.from_ms}"

    def to_json(self) -> dict[str, Any]:
        """As JSON values; ``peaks`` in hexadecimal."""
        own = {name: getattr(self, name) for name in _OWN_FIELDS}
        return own | {"meta": self.meta.to_json(), "outcome": self.outcome.value, "peaks": self.peaks.hex()}

    @staticmethod
    def from_json(value: dict[str, Any]) -> Recording:
        """From JSON values. Raises KeyError, TypeError or ValueError when it is not one."""
        own = {name: value[name] for name in _OWN_FIELDS}
        return Recording(
            meta=RecordedBurst.from_json(value["meta"]),
            outcome=BurstEnd(value["outcome"]),
            peaks=bytes.fromhex(value.get("peaks", "")),
            **own,
        )


_OWN_FIELDS = ("ended_ms", "duration_ms", "packets", "lost", "unrecorded", "filled_ms", "file", "size", "sha256")
