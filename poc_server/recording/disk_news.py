"""Who answers for recordings is told on his page how the recorder's disk is, while there is still something to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groups.model import User
from groups.rights import Right, has
from poc_server.recording.recordings import Recordings
from poc_server.recording.spooling.writer import DiskState
from signaling.connection import frame

if TYPE_CHECKING:
    from poc_server.talk.phone import Phone
    from poc_server.talk.phones import Phones


class DiskNews:
    """Between the recorder of this node and its consoles."""

    def __init__(self, phones: Phones, recordings: Recordings) -> None:
        self._phones, self._recordings = phones, recordings
        recordings.on_disk = self.changed

    def changed(self) -> None:
        """The disk is in another state: everybody is told whom it concerns."""
        framed = frame(self._recordings.disk)
        for phone in self._phones.here():
            if _concerned(phone.user):
                phone.write(framed)

    def came(self, phone: Phone) -> None:
        """A phone connected: it is told unless all is well."""
        disk = self._recordings.disk
        if disk.state != DiskState.OK.value and _concerned(phone.user):
            phone.send(disk)


def _concerned(user: User) -> bool:
    return has(user, Right.REPLAY_ALL)
