"""What other systems send: proved, read as their mapping says, and given to the bridge piece by piece."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import structlog
from pydantic import JsonValue

from gateway.incidents.case_code import incident_code
from gateway.incidents.document import BadDocument, Document, read_document, read_json
from gateway.mapping.inbound import Fault, Item, read_items
from gateway.polling import PollState, failed, pause_s
from gateway.webhooks import Received, verify
from groups.vocabulary import IncidentCode, Refusal
from poc_server.bridge.bridge import Bridge
from poc_server.bridge.setup import PollSetup, SenderSetup
from poc_server.ground.refused import Refused
from poc_server.store import Store
from poc_server.store.bridge import heard, polls, refused_news
from poc_server.store.bridge.heard import Heard
from poc_server.store.ids import new_id
from poc_server.store.sql.statements import in_parts
from signaling.messages import Refused as WireRefused

log = structlog.get_logger(__name__)

AT_ONCE = 256
"""Pieces of one delivery on their way at the same time: they share transactions."""
_WEBHOOK = "news"
"""What signed webhooks are sent to."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a delivery came to: how many pieces of news were taken, and why others were not."""

    taken: int
    refused: tuple[str, ...] = ()


class Inbox:
    """The way in for systems.

    Attributes:
        refused: pieces of news that could not be taken, each once however often it came.
        unproved: messages that nobody proved to have sent.
    """

    def __init__(self, bridge: Bridge, store: Store) -> None:
        self._bridge, self._store = bridge, store
        self.refused = self.unproved = 0
        self._senders = {sender.id: sender for sender in bridge.setup.file.senders}

    def sender(self, name: str) -> SenderSetup:
        """A sender by its id. Refuses not_signed_in: a stranger does not learn which there are."""
        found = self._senders.get(name)
        if found is None:
            raise Refused(Refusal.NOT_SIGNED_IN)
        return found

    async def prove(self, received: Received, target: str) -> tuple[SenderSetup, Heard | None]:
        """Which sender of our own documents this is, and which message. Refuses bad_signature, clock_skew.

        ``target``: what it is sent to. A signed message that was sent to something else before is another's repetition
        of it, and refused (bad_signature).
        """
        sender, mark = self._proved(received)
        if mark is None:
            return sender, None
        message = Heard(sender.id, mark)
        await self._bind(message, target)
        return sender, message

    async def _bind(self, message: Heard, target: str) -> None:
        async with self._store.writing() as connection:
            if not await heard.bind(connection, message, target, self._store.clock()):
                raise Refused(Refusal.BAD_SIGNATURE, "this message was sent to something else before")

    def _proved(self, received: Received) -> tuple[SenderSetup, str | None]:
        problem: WireRefused | None = None
        for sender in self._senders.values():
            if sender.mapping is None:
                try:
                    return sender, verify(sender, received, self._store.clock())
                except WireRefused as refused:
                    # One whose signature was right but whose clock is wrong is told so.
                    problem = refused if problem is None or refused.code is Refusal.CLOCK_SKEW else problem
        self.unproved += 1
        raise Refused(problem.code if problem else Refusal.NOT_SIGNED_IN)

    async def deliver(self, name: str, received: Received) -> Taken:
        """A webhook of a sender. Refuses what is not proved; what cannot be read is kept for the operator and told."""
        sender = self.sender(name)
        try:
            mark = verify(sender, received, self._store.clock())
        except WireRefused as refused:
            self.unproved += 1
            raise Refused(refused.code) from None
        if mark is not None and sender.mapping is None:
            # The same proof opens the API to him, where some orders and looks need no body that can be read.
            await self._bind(Heard(sender.id, mark), _WEBHOOK)
        body = read(received.body)
        mapping = self._bridge.setup.mapping(sender.mapping)
        items = _our_own(body) if mapping is None else tuple(read_items(mapping, body))
        return await self.take(sender.id, items, received.body.decode("utf-8", "replace"), mark)

    async def take(self, sender: str, items: tuple[Item, ...], body: str, mark: str | None = None) -> Taken:
        """Gives every item to the bridge. Refuses as a whole (unavailable, too_fast) when one must come again.

        ``mark``: of the signed message that held them; what of it was taken before, is not again.
        """
        agency = self._bridge.agency()
        readable: list[tuple[IncidentCode, Document, Heard | None]] = []
        refused: list[str] = []
        for part, item in enumerate(items):
            faults = [f"{fault.field}: {fault.why}" for fault in item.faults]
            if item.document is None or item.code is None:
                refused.append(f"{item.code or '?'}: {'; '.join(faults)}")
                await self._keep(sender, item.code or "", faults, body or json.dumps(item.read, ensure_ascii=False))
                continue
            if faults:
                log.warning("news_with_faults", sender=sender, incident=item.code, faults=faults)
            readable.append((item.code, item.document, None if mark is None else Heard(sender, mark, part)))
        for news in in_parts(readable, AT_ONCE):
            await asyncio.gather(
                *(self._bridge.news(agency, code, document, heard=piece) for code, document, piece in news)
            )
        return Taken(len(readable), tuple(refused))

    async def _keep(self, sender: str, code: str, faults: list[str], body: str) -> None:
        async with self._store.writing() as connection:
            if not await refused_news.refuse(connection, sender, self._store.clock(), code, faults, body):
                return
        self.refused += 1
        log.warning("news_refused", sender=sender, incident=code, faults=faults)


HOLD_MARGIN_MS = 60_000
"""How much longer than the pause between two rounds an endpoint is one node's: when that is gone, another polls."""


class PollInbox:
    """The way in for what is polled (`gateway.polling.PollPort`)."""

    def __init__(self, setup: PollSetup, inbox: Inbox, store: Store) -> None:
        self._setup, self._inbox, self._store = setup, inbox, store
        self._holder = new_id("po")

    async def load(self) -> PollState | None:
        """Where polling stands; None while another node polls this endpoint."""
        async with self._store.writing() as connection:
            return await polls.hold(connection, self._setup.id, self._holder, self._store.clock(), self._hold_ms)

    def _hold_ms(self, state: PollState) -> int:
        return round(pause_s(self._setup, failed(state, "")) * 1000) + HOLD_MARGIN_MS

    async def release(self) -> None:
        """This node polls no more: another takes over at its next round."""
        async with self._store.writing() as connection:
            await polls.release(connection, self._setup.id, self._holder)

    async def take(self, items: tuple[Item, ...], after: PollState) -> None:
        """Takes the news, then saves the cursor: a crash in between reads them again, and they are known."""
        await self._inbox.take(self._setup.id, items, "")
        await self.save(after)

    async def save(self, state: PollState) -> None:
        """Saves the cursor, or that a round failed."""
        if state.failures:
            log.warning("poll_failed", poll=self._setup.id, failures=state.failures, problem=state.last_error)
        async with self._store.writing() as connection:
            await polls.save(connection, self._setup.id, state)


def read(body: bytes) -> JsonValue:
    """A body as JSON. Refuses too_large, bad_message."""
    try:
        return read_json(body)
    except WireRefused as refused:
        raise told(refused) from None


def document(data: object) -> Document:
    """One of our own documents. Refuses bad_message, naming fields."""
    try:
        return read_document(data)
    except WireRefused as refused:
        raise told(refused) from None


def told(refused: WireRefused) -> Refused:
    """A refusal of the gateway as the API tells it."""
    details = "; ".join(refused.details) if isinstance(refused, BadDocument) else ""
    return Refused(refused.code, details[:500])


def _our_own(body: object) -> tuple[Item, ...]:
    """``{"code": …, …}`` or a list of such."""
    items = []
    for each in body if isinstance(body, list) else [body]:
        code: IncidentCode | None = None
        try:
            fields = dict(each) if isinstance(each, dict) else {}
            code = incident_code(str(fields.pop("code", "")))
            items.append(Item(code, read_document(fields)))
        except WireRefused as refused:
            why = refused.details if isinstance(refused, BadDocument) else ("code: not a code",)
            items.append(Item(code, None, tuple(Fault("", one, fatal=True) for one in why)))
    return tuple(items)
