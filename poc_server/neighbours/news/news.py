"""What the store of one node learned and the others should know now.

That SQL changed, which sessions ended and who was disabled while it is away, and where people are.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from groups.vocabulary import UserId
from poc_server.neighbours.news.ends import read
from poc_server.store.journal import ShutOut
from poc_server.store.places import Place

if TYPE_CHECKING:
    from poc_server.neighbours.elsewhere import Elsewhere
    from poc_server.neighbours.known.neighbour import Neighbour
    from poc_server.store import Store

GATHER_S = 0.1
"""Places are gathered for so long; a change of people or rights is told at once."""


class News:
    """Between this node's store and the others'."""

    def __init__(self, elsewhere: Elsewhere, store: Store) -> None:
        self._elsewhere = elsewhere
        self._store = store
        self._places: dict[UserId, Place] = {}
        self._reports: dict[UserId, int] = {}
        self._learning = False
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._over: dict[str, int] = {}
        """Sessions that ended here while SQL was away, and when (ms)."""
        elsewhere.on_directory = self._changed
        elsewhere.directory_version = lambda: store.directory.version
        elsewhere.topics["places"] = self._learn
        elsewhere.topics["reports"] = self._reported_there
        store.places.tell_reported = self._reported
        elsewhere.topics["session_over"] = lambda _, said: store.learn_ended({said["session"]: said["at_ms"]})
        elsewhere.topics["sessions_over"] = lambda _, ended: store.learn_ended(ended)
        store.tell_ended = self._tell_ended
        elsewhere.topics["shut_out"] = self._shut_out
        store.shutting_out.tell = lambda record: elsewhere.say("shut_out", record.model_dump(mode="json"))
        elsewhere.on_told_all = self._tell_again
        store.directory.subscribe(lambda _: elsewhere.say_directory())
        store.places.subscribe(self._placed)

    async def known_by_all(self, within_s: float) -> None:
        """Returns when every other node that lives holds what this one's directory holds now, or the time is over."""
        version = self._store.directory.version
        if self._elsewhere.fabric.alone or self._known(version):
            return
        told = asyncio.get_running_loop().create_future()
        self._waiting.append((version, told))
        await asyncio.wait((told,), timeout=within_s)
        self._waiting = [each for each in self._waiting if each[1] is not told]

    def _changed(self, version: int) -> None:
        """Another node holds ``version``."""
        if version > self._store.directory.version:
            self._store.nudge()
        for wanted, told in self._waiting:
            if not told.done() and self._known(wanted):
                told.set_result(None)

    def _known(self, version: int) -> bool:
        return all(each.directory >= version for each in self._elsewhere.nodes.values())

    def _tell_ended(self, session: str, at_ms: int) -> None:
        self._over[session] = at_ms
        self._elsewhere.say("session_over", {"session": session, "at_ms": at_ms})

    def _tell_again(self) -> None:
        """A node that was away from Redis did not hear who is out, and SQL may not say it yet."""
        remembered = self._store.directory.snapshot.ended_sessions
        self._over = {session: at_ms for session, at_ms in self._over.items() if session in remembered}
        if self._over:
            self._elsewhere.say("sessions_over", self._over)
        self._store.shutting_out.tell_again()

    def _shut_out(self, _: Neighbour, said: dict[str, Any]) -> None:
        record = read(said)
        if isinstance(record, ShutOut):
            self._store.shutting_out.learn(record)

    def _placed(self, place: Place) -> None:
        if self._learning:
            return
        self._gather()
        self._places[place.user] = place

    def _reported(self, user: UserId, at_ms: int) -> None:
        self._gather()
        self._reports[user] = at_ms

    def _gather(self) -> None:
        if not self._places and not self._reports:
            asyncio.get_running_loop().call_later(GATHER_S, self._tell)

    def _tell(self) -> None:
        places, self._places = self._places, {}
        reports, self._reports = self._reports, {}
        self._elsewhere.say("places", [each.model_dump(mode="json", exclude_none=True) for each in places.values()])
        if reports:
            self._elsewhere.say("reports", reports)

    def _reported_there(self, _: Neighbour, reports: dict[UserId, int]) -> None:
        for user, at_ms in reports.items():
            self._store.places.reported(user, at_ms)

    def _learn(self, _: Neighbour, places: list[dict[str, Any]]) -> None:
        self._learning = True
        try:
            for each in places:
                self._store.places.learn(Place.model_validate(each))
        finally:
            self._learning = False
