"""What the desk has taken and not answered yet: should it die over it, who asked is told, and may ask again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from groups.vocabulary import Refusal
from poc_server.talk.clock import loop_time

if TYPE_CHECKING:
    from poc_server.neighbours.known.this_node import ThisNode
    from poc_server.talk.phone import Phone

PATIENCE_S = 30.0
"""No phone waits longer for an answer."""
MAX_REMEMBERED = 64
"""Of each phone, the newest: a phone that asks more at once waits for its own patience."""


class Unanswered:
    """The requests of this node's phones, by the desk that took them."""

    def __init__(self, node: ThisNode) -> None:
        self._node = node
        self._taken: dict[str, dict[str, tuple[str, float]]] = {}

    def asked(self, phone: Phone, request: str) -> None:
        """It is on its way to the desk: the answer may come before the word that the desk has it."""
        here, now = self._taken.setdefault(phone.key, {}), loop_time()
        here[request] = "", now
        for each in [each for each, (_, at) in here.items() if now - at > PATIENCE_S]:
            del here[each]  # it waits for that no more
        if len(here) > MAX_REMEMBERED:
            del here[next(iter(here))]

    def taken(self, phone: Phone, request: str, desk: str) -> None:
        """A desk said that it has it."""
        here = self._taken.get(phone.key, {})
        if request in here:
            here[request] = desk, here[request][1]

    def here(self, phone: Phone, request: str) -> None:
        """It is answered here."""
        self._forget(phone.key, [request])

    def told(self, phone: Phone, framed: bytes) -> None:
        """Another node writes to a phone of this one: it may be an answer."""
        here = self._taken.get(phone.key, {})
        self._forget(phone.key, [each for each in here if b'"id":' + _quoted(each) in framed])

    def lost(self, desk: str) -> None:
        """That desk is dead."""
        for key, here in tuple(self._taken.items()):
            phone, lost = self._node.phones.get(key), {each: at for each, (by, at) in here.items() if by == desk}
            self._forget(key, lost)
            for request, at in lost.items():
                if phone is not None and phone.away is None and loop_time() - at <= PATIENCE_S:
                    phone.refuse(Refusal.UNAVAILABLE, request)

    def _forget(self, key: str, requests: Iterable[str]) -> None:
        here = self._taken.get(key, {})
        for request in requests:
            here.pop(request, None)
        if not here:
            self._taken.pop(key, None)


def _quoted(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode()
