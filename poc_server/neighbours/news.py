"""What the store of one node learned and the others should know now: that SQL changed, and where people are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from groups.vocabulary import UserId
from poc_server.store.places import Place

if TYPE_CHECKING:
    from poc_server.neighbours.elsewhere import Elsewhere
    from poc_server.store import Store

GATHER_S = 0.1
"""Places are gathered for so long; a change of people or rights is told at once."""


class News:
    """Between this node's store and the others'."""

    def __init__(self, elsewhere: Elsewhere, store: Store) -> None:
        self._elsewhere = elsewhere
        self._store = store
        self._places: dict[UserId, Place] = {}
        self._learning = False
        elsewhere.topics["changed"] = lambda _: store.nudge()
        elsewhere.topics["places"] = self._learn
        store.directory.subscribe(lambda _: elsewhere.say("changed", 1))
        store.places.subscribe(self._placed)

    def _placed(self, place: Place) -> None:
        if self._learning:
            return
        if not self._places:
            asyncio.get_running_loop().call_later(GATHER_S, self._tell)
        self._places[place.user] = place

    def _tell(self) -> None:
        places, self._places = self._places, {}
        self._elsewhere.say("places", [each.model_dump(mode="json", exclude_none=True) for each in places.values()])

    def _learn(self, places: list[dict[str, Any]]) -> None:
        self._learning = True
        try:
            for each in places:
                self._store.places.learn(Place.model_validate(each))
        finally:
            self._learning = False
