"""Bots of the demo city: simulated phones that talk now and then, so that a lone visitor meets voices.

``python -m loadtest.bots --url ws://localhost:8080/ws --links FILE`` (``-``: standard input). They are polite: nobody
presses while another talks, and after each report there is a pause. They end on SIGTERM, and with their parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from groups.vocabulary import Refusal
from loadtest.identity import BadLinks, Identity, read_links, read_links_file
from loadtest.phone import Phone, PhoneFailed
from loadtest.speaking import Speaker
from loadtest.speech import recording
from loadtest.wire.dtls import Credentials
from loadtest.wire.reactor import Reactor
from signaling.messages import FloorIdle, FloorTaken

LANGUAGES: Final = (("zh-report", "zh-emergency"), ("en-report", "en-order"))
"""The recordings of one group after the other: each group keeps to one language."""
PAUSE_S: Final = (4.0, 14.0)
"""Between two reports in a group."""
REPLY_S: Final = (0.8, 2.0)
REPLY_CHANCE: Final = 0.5
COME_BACK_S: Final = (1.0, 15.0)
"""First and longest wait before a bot that lost the server comes back."""
GROUPS: Final = 2
FINAL_REFUSALS: Final = frozenset({Refusal.BAD_TOKEN, Refusal.TOKEN_EXPIRED, Refusal.DISABLED, Refusal.REPLACED})
"""With these there is no use in coming back."""


class Bot:
    """One bot: stays connected, and knows whether its group's floor is free."""

    def __init__(self, reactor: Reactor, credentials: Credentials, identity: Identity, number: int, group: str) -> None:
        self._make = partial(Phone, reactor, credentials, identity, number)
        self.group = group
        self.phone: Phone | None = None
        self._free = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Connected and in its group."""
        return self.phone is not None

    async def stay(self, url: str) -> None:
        """Connect, and come back whenever the server is lost."""
        wait = COME_BACK_S[0]
        while True:
            try:
                await self._visit(url)
                wait = COME_BACK_S[0]
            except PhoneFailed as problem:
                if problem.code in FINAL_REFUSALS:
                    sys.stderr.write(f"bot: {problem}\n")
                    return
            finally:
                self.phone = None
            await asyncio.sleep(wait * random.uniform(0.7, 1.3))
            wait = min(2 * wait, COME_BACK_S[1])

    async def _visit(self, url: str) -> None:
        phone = self._make()
        self._ended.clear()
        phone.on_message = self._take
        phone.on_gone = lambda _: self._ended.set()
        try:
            await phone.connect(url)
            selected = await phone.select(self.group)
            if selected.group.floor.state == "idle":
                self._free.set()
            self.phone = phone
            await self._ended.wait()
        finally:
            phone.close()

    def _take(self, message: Any, _stamp: int) -> None:
        if isinstance(message, FloorTaken) and message.group == self.group:
            self._free.clear()
        elif isinstance(message, FloorIdle) and message.group == self.group:
            self._free.set()

    async def quiet(self) -> None:
        """Wait until nobody talks."""
        await self._free.wait()


async def converse(bots: Sequence[Bot], speeches: Sequence[str], speaker: Speaker) -> None:
    """Reports and replies among the bots of one group, for ever."""
    last: Bot | None = None
    reply, pause = False, REPLY_S  # a visitor who has just come hears somebody soon
    while True:
        await asyncio.sleep(random.uniform(*pause))
        able = [bot for bot in bots if bot.ready and bot is not last] or [bot for bot in bots if bot.ready]
        if not able:
            continue
        last = random.choice(able)
        await last.quiet()
        if last.phone is not None:
            with contextlib.suppress(PhoneFailed):
                await speaker.speak(last.phone, last.group, recording(random.choice(speeches)), patience_s=5.0)
        reply = not reply and random.random() < REPLY_CHANCE
        pause = REPLY_S if reply else PAUSE_S


def assign(identities: Sequence[Identity], wanted: Sequence[str] = ()) -> dict[str, list[Identity]]:
    """The bots of each group, evenly; ``wanted`` groups, or up to `GROUPS` that the first bots talk in."""
    groups: dict[str, list[Identity]] = {group: [] for group in wanted}
    for identity in identities:
        if not wanted and len(groups) < GROUPS:
            groups.setdefault(next((g for g in identity.talks if g not in groups), ""), [])
        known = [g for g in identity.talks if g in groups]
        if known:
            min((groups[g] for g in known), key=len).append(identity)
    return {group: bots for group, bots in groups.items() if bots}


async def run(url: str, identities: Sequence[Identity], wanted: Sequence[str] = ()) -> None:
    """Live until SIGTERM, SIGINT, or the end of the parent process."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for end in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(end, stop.set)
    reactor, credentials, speaker = Reactor(), Credentials(), Speaker()
    parent = os.pidfd_open(os.getppid())
    loop.add_reader(parent, stop.set)
    tasks: list[asyncio.Task[None]] = []
    made = itertools.count(1)
    for index, (group, people) in enumerate(assign(identities, wanted).items()):
        bots = [Bot(reactor, credentials, identity, next(made), group) for identity in people]
        tasks += [asyncio.create_task(bot.stay(url)) for bot in bots]
        tasks.append(asyncio.create_task(converse(bots, LANGUAGES[index % len(LANGUAGES)], speaker)))
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    loop.remove_reader(parent)
    os.close(parent)
    reactor.close()


def main(
    url: Annotated[str, typer.Option(help="ws://HOST:PORT/ws")],
    links: Annotated[str, typer.Option(help="File of identities, a line of JSON each; - is standard input")],
    group: Annotated[list[str] | None, typer.Option(help="Talk in this group; may be repeated")] = None,
) -> None:
    """Talk now and then in two groups."""
    try:
        identities = read_links(sys.stdin) if links == "-" else read_links_file(Path(links))
    except BadLinks as problem:
        sys.stderr.write(f"bots: {problem}\n")
        raise typer.Exit(1) from None
    asyncio.run(run(url, identities, group or ()))


if __name__ == "__main__":
    typer.run(main)
