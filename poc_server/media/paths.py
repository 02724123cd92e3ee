"""Where one phone is: addresses at which it has shown that it receives, and those where it has yet to.

A connectivity check proves who sends it, and not that he is where it says that it comes from: a sender may write any
address on a datagram. So a phone is asked back (RFC 8445 §7.3.1.4, RFC 7675): only who is there can answer.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from poc_server.media.wire.ice import TRANSACTION_BYTES, Answer, IceLite
from poc_server.media.wire.udp import Address, LocalSocket

MAX_PATHS = 8
"""Addresses of one phone that are remembered, and as many that have yet to answer; the longest unused goes first."""

Path = tuple[LocalSocket, Address]


class Phone(Protocol):
    """Whose paths they are: who is found by them."""

    def answered(self, ask: Ask, answer: Answer, path: Path) -> bool:
        """An answer to ``ask`` came from ``path``; false if it proves nothing."""

    def forget_path(self, path: Path) -> None:
        """Another phone is at this address."""


@dataclass(slots=True, eq=False)
class Ask:
    """A check of ours that waits for its answer; sent again with each check that comes from there.

    ``nominated``: what the phone has said of this pair meanwhile.
    """

    phone: Phone
    path: Path
    ice: IceLite
    transaction: bytes
    nominated: bool = False


class Paths:
    """The addresses of one phone. ``asked``: all asks of the edge, by transaction; ``send``: to an address."""

    __slots__ = ("_asked", "_asks", "_phone", "_proved", "_send")

    def __init__(self, phone: Phone, asked: dict[bytes, Ask], send: Callable[[bytes, Path], None]) -> None:
        self._phone = phone
        self._asked = asked
        self._send = send
        self._proved: OrderedDict[Path, float] = OrderedDict()
        self._asks: OrderedDict[tuple[Path, IceLite], Ask] = OrderedDict()

    def proved_at(self, path: Path) -> float:
        """When it last showed that it receives there, on the loop's clock; -inf: never."""
        return self._proved.get(path, float("-inf"))

    def used(self, path: Path) -> None:
        """It is still there by its own word."""
        self._proved.move_to_end(path)

    def ask(self, path: Path, ice: IceLite, *, nominated: bool) -> None:
        """Ask whether it is there. The same question again for as long as there is no answer: answers may be late."""
        ask = self._asks.get((path, ice))
        if ask is None:
            ask = Ask(self._phone, path, ice, secrets.token_bytes(TRANSACTION_BYTES))
            self._asks[path, ice] = self._asked[ask.transaction] = ask
            if len(self._asks) > MAX_PATHS:
                self._drop(next(iter(self._asks.values())))
        self._asks.move_to_end((path, ice))
        local, address = path
        local.asked[address] = self._phone
        ask.nominated = nominated
        self._send_ask(ask)

    def credentials_known(self, ice: IceLite) -> None:
        """The phone's answer is here: what could not be asked without its password is asked now."""
        for ask in self._asks.values():
            if ask.ice is ice:
                self._send_ask(ask)

    def answered(self, ask: Ask, answer: Answer, path: Path, now: float, *, keep: Path | None) -> bool:
        """Take an answer from ``path``; false if it proves nothing. ``keep``: where voice goes to is not forgotten."""
        if path != ask.path or not ask.ice.proves(answer):
            return False
        self._drop(ask)
        local, address = path
        other = local.phones.get(address)
        if other is not None and other is not self._phone:
            other.forget_path(path)
        local.phones[address] = self._phone
        self._proved[path] = now
        self._proved.move_to_end(path)
        if len(self._proved) > MAX_PATHS:
            self._leave(next(one for one in self._proved if one != keep))
        return True

    def forget(self, path: Path) -> None:
        """Another phone has proved that it is there."""
        self._proved.pop(path, None)

    def close(self) -> None:
        """It is nowhere any more."""
        for ask in tuple(self._asks.values()):
            self._drop(ask)
        for path in tuple(self._proved):
            self._leave(path)

    def _send_ask(self, ask: Ask) -> None:
        # Checks may overtake the answer on the signaling path, which tells the password to ask with.
        check = ask.ice.ask(ask.transaction)
        if check is not None:
            self._send(check, ask.path)

    def _drop(self, ask: Ask) -> None:
        del self._asks[ask.path, ask.ice], self._asked[ask.transaction]
        local, address = ask.path
        if local.asked.get(address) is self._phone:
            del local.asked[address]

    def _leave(self, path: Path) -> None:
        del self._proved[path]
        local, address = path
        if local.phones.get(address) is self._phone:
            del local.phones[address]
