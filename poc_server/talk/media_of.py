"""What the media edge tells of one phone, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from groups.vocabulary import NotListening

if TYPE_CHECKING:
    from poc_server.talk.calls.calls import Calls
    from poc_server.talk.ears import Ears
    from poc_server.talk.phone import Phone
    from poc_server.talk.presence import Presence
    from poc_server.talk.talkgroups import Talkgroups


@dataclass(slots=True)
class MediaOf:
    """What the media edge tells of one phone (`poc_server.media.edge.PeerOwner`)."""

    phone: Phone
    ears: Ears
    calls: Calls
    presence: Presence
    talkgroups: Talkgroups

    def media_connected(self) -> None:
        """The media path is up: what is on air is heard from now on."""
        self.phone.paths += 1
        self.ears.place((self.phone,))
        self.calls.media(self.phone)
        self.presence.phone_changed(self.phone)

    def media_gone(self, reason: str) -> None:
        """The media path is lost; the phone will ask for another."""
        self.phone.not_listening = NotListening.NO_MEDIA
        self.presence.phone_changed(self.phone)

    def media_without_floor(self) -> None:
        """Voice came without a floor: the phone is told (TS 24.380 §6.3.5.4, Revoke cause 3)."""
        if self.phone.selected is not None:
            talkgroup = self.talkgroups.get(self.phone.selected)
            if talkgroup is not None:
                talkgroup.media_without_floor(self.phone)
