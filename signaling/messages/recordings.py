"""Recordings on phones: what was said while one was away."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from groups.vocabulary import Tier
from signaling.limits import MAX_MISSED_TALKERS
from signaling.messages.base import Id, Message, Name


class MissedTalker(Message):
    """One person's bursts in one group: how many, how long in all, the highest tier among them."""

    group: Id
    group_name: Name = ""
    talker: Id | None = None
    talker_name: Name = ""
    bursts: int
    duration_ms: int
    tier: Tier = Tier.NORMAL


class RecordingDisk(Message):
    """How the disk of the recorder is, told on each change to those who may replay everything, and when they come.

    While it is ``full``, ``read_only`` or ``failing`` voice goes on and waits in the server's memory, within a bound.
    While it is ``gone`` (the folder of the recordings is not there, or not the right one) new voice waits on another
    disk, and what was recorded before cannot be heard.
    """

    type: Literal["recording_disk"] = "recording_disk"
    state: Literal["ok", "low_space", "slow", "full", "read_only", "failing", "gone"]


class Missed(Message):
    """What was said in the user's groups while he was away, told after he is back; emergencies first.

    The recordings themselves: ``GET /api/v1/missed``. ``bursts`` and ``duration_ms`` count all, ``by`` holds the first.
    """

    type: Literal["missed"] = "missed"
    from_ms: int
    until_ms: int
    bursts: int
    duration_ms: int
    by: Annotated[list[MissedTalker], Field(max_length=MAX_MISSED_TALKERS)]
