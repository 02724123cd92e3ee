"""Many phones in one process."""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from loadtest.air import Air
from loadtest.identity import Identity
from loadtest.mark import Mark
from loadtest.phone import Phone, PhoneFailed
from loadtest.speaking import Speaker
from loadtest.wire.dtls import Credentials
from loadtest.wire.reactor import Reactor

DESCRIPTORS_PER_PHONE: Final = 2
Progress = Callable[[str, float, float], None]
"""Called with (what is being done, how much of it, of how much)."""


class Fleet:
    """The phones, what they heard, and how late this process itself was."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.reactor = Reactor()
        self.air = Air()
        self.speaker = Speaker()
        self.on_mark: Callable[[Phone, Mark, int], None] = self._hear
        """Called for each voice packet of a phone that listens closely."""
        self._credentials = Credentials()
        self.phones: list[Phone] = []
        self.dropped: list[str] = []
        """Why phones were lost after they had been ready."""

    def make(
        self, identities: Iterable[Identity], *, closely_every: int, frame_ms: int = 40, chatty: bool = True
    ) -> list[Phone]:
        """Phones for ``identities``, not yet connected; two and one of every ``closely_every`` listen closely."""
        made = []
        for index, identity in enumerate(identities):
            number = len(self.phones) + 1
            phone = Phone(
                self.reactor,
                self._credentials,
                identity,
                number,
                closely=index < 2 or index % closely_every == 0,
                frame_ms=frame_ms,
                chatty=chatty,
            )
            phone.on_gone = self.dropped.append
            self.phones.append(phone)
            made.append(phone)
        allow_descriptors(len(self.phones) * DESCRIPTORS_PER_PHONE + 256)
        return made

    async def connect(
        self, phones: Sequence[Phone], *, at_once: int, progress: Progress, then: str | None = None
    ) -> list[str]:
        """Connect ``phones``, ``at_once`` at a time; returns why those failed that did. ``then``: select this group."""
        gate = asyncio.Semaphore(at_once)
        failures: list[str] = []
        done = 0

        async def one(phone: Phone) -> None:
            nonlocal done
            try:
                async with gate:
                    await phone.connect(self.url)
                    phone.voice.on_mark = partial(self._marked, phone)
                    if then is not None:
                        await phone.select(then)
            except PhoneFailed as problem:
                failures.append(str(problem))
            done += 1
            progress("connecting", done, len(phones))

        await asyncio.gather(*map(one, phones))
        return failures

    def settle(self) -> None:
        """All phones are there and live to the end: walking over them in each collection would be lateness."""
        gc.collect()
        gc.freeze()

    def _marked(self, phone: Phone, _slot: int, mark: Mark, stamp: int) -> None:
        self.on_mark(phone, mark, stamp)

    def _hear(self, _phone: Phone, mark: Mark, stamp: int) -> None:
        self.air.note(mark, stamp)

    def packets_heard(self) -> int:
        """Voice packets that arrived at all phones so far."""
        return sum(slot.packets for phone in self.phones if phone.media for slot in phone.media.slots)

    def packets_lost(self) -> int:
        """Numbers missing in what arrived."""
        return sum(slot.lost for phone in self.phones if phone.media for slot in phone.media.slots)

    def kernel_drops(self) -> int:
        """Datagrams thrown away because this process read too slowly."""
        return sum(phone.media.kernel_drops() for phone in self.phones if phone.media)

    async def close(self) -> None:
        """All phones leave properly."""
        for index, phone in enumerate(self.phones):
            phone.close()
            if index % 100 == 99:
                await asyncio.sleep(0)
        self.reactor.close()
        gc.unfreeze()


def allow_descriptors(wanted: int) -> None:
    """Raise this process' limit of open files as far as needed and allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    if min(wanted, hard) < wanted:
        sys.stderr.write(f"only {hard} open files are allowed, {wanted} are needed: see ulimit -n\n")
