"""One broadcast while some may still have to get it: its life, its receipts, what it says to whom."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from groups.emergency import broadcast as rules
from groups.emergency.broadcast import BroadcastState, Life, PersonReceipt
from groups.model import User
from groups.plain import known
from groups.vocabulary import BroadcastKind, GroupId, ReceiptState, Tier, UserId
from poc_server.store.emergency import Kept
from poc_server.store.journal.ends import MAX_MISSED, BroadcastOver
from poc_server.talk.phone import Phone, person
from signaling.messages import BroadcastInfo, BroadcastStart

CHANGED_AT_ONCE = 200
"""Changes one tally carries; the rest goes with the next."""


@dataclass(eq=False, slots=True)
class LiveBroadcast:
    """One broadcast.

    Attributes:
        group: where a live one is said.
        message: key of the recorded message, when it is one.
        said: samples of the latest burst that were relayed, or of the recorded message.
        packets: packets of it.
        lost_before: per connection, packets its RTCP had reported lost when the burst began.
        dirty: receipts to be kept, and who waits for the answer.
        version: how often its life has changed.
        saved: it stands in SQL for certain, so that what belongs to it may.
        kept_now: SQL or the disk had taken it when it began.
    """

    id: str
    by: User
    kind: BroadcastKind
    tier: Tier
    text: str
    acknowledge: bool
    exercise: bool
    at: int
    life: Life
    group: GroupId | None
    receipts: dict[UserId, PersonReceipt]
    message: str | None = None
    said: int = 0
    packets: int = 0
    began_at: float = 0.0
    lost_before: dict[str, int] = field(default_factory=dict)
    dirty: dict[UserId, list[tuple[Phone, str]]] = field(default_factory=dict)
    changed: dict[UserId, None] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    timer: asyncio.TimerHandle | None = None
    flushing: bool = False
    telling: bool = False
    reminded: int = 0
    version: int = 0
    saved: bool = False
    kept_now: bool = True

    @property
    def running(self) -> bool:
        """Whether it may be spoken into."""
        return self.life.state is BroadcastState.RUNNING

    def info(self) -> BroadcastInfo:
        """As those see it whom it reaches."""
        return BroadcastInfo(
            id=self.id,
            by=person(self.by),
            kind=self.kind,
            tier=self.tier,
            text=self.text,
            group=self.group,
            burst=self.life.burst,
            samples=self.said if self.said and not self.life.talking else None,
            at_ms=self.at,
            expires_ms=self.life.expires_at,
            acknowledge=self.acknowledge,
            exercise=self.exercise,
            state=self.life.state.value,
        )

    def shown(self, receipt: PersonReceipt) -> bool:
        """Whether it still belongs on his page when he comes: until he heard or acknowledged it."""
        if self.life.state in rules.FINAL or receipt.state in (ReceiptState.ACKNOWLEDGED, ReceiptState.MISSED):
            return False
        return self.running or self.acknowledge or receipt.state is not ReceiptState.HEARD

    def wanted(self, receipt: PersonReceipt) -> bool:
        """Whether he is to be reminded: it is not on his phone, or he shall acknowledge it."""
        return self.shown(receipt) and (self.running or not receipt.reached or self.acknowledge)

    def counts(self) -> dict[str, int]:
        """How many it reached how far, each at his furthest."""
        found = Counter(each.state.value if each.state else "waiting" for each in self.receipts.values())
        return {name: found[name] for name in (*ReceiptState, "waiting")}

    def learn(self, before: LiveBroadcast) -> None:
        """It was begun again by a desk that could not read ``before``, itself as it stands in SQL: both are one."""
        self.saved, self.version = True, max(self.version, before.version)
        for user, receipt in before.receipts.items():
            here = self.receipts.get(user)
            if here is None or rules.further(receipt, here):
                self.receipts[user] = receipt
                self.changed[user] = None

    def take_changed(self) -> list[UserId]:
        """Who changed since the last tally, as many as one tally carries."""
        taken = list(self.changed)[:CHANGED_AT_ONCE]
        for user in taken:
            del self.changed[user]
        return taken

    def kept(self) -> Kept:
        """The row that is kept."""
        content: dict[str, Any] = {
            "kind": self.kind.value,
            "tier": int(self.tier),
            "text": self.text,
            "acknowledge": self.acknowledge,
            "exercise": self.exercise,
            "group": self.group,
            "message": self.message,
            "said": self.said,
            "life": asdict(self.life),
            "version": self.version,
        }
        return Kept(
            self.id,
            self.by.agency,
            self.by.id,
            self.life.state not in rules.FINAL,
            self.at,
            content,
            self.life.state.value,
        )

    def over(self, missed: Sequence[UserId]) -> list[BroadcastOver]:
        """That it is final, for the journal."""
        row = self.kept()
        parts = [tuple(missed[at : at + MAX_MISSED]) for at in range(0, max(1, len(missed)), MAX_MISSED)]
        return [BroadcastOver(id=row.id, state=row.state, content=row.content, missed=part) for part in parts]


def new(
    asked: BroadcastStart,
    by: User,
    users: Iterable[UserId],
    now: int,
    quiet_ms: int,
    group: GroupId | None,
    samples: int = 0,
) -> LiveBroadcast:
    """A broadcast that begins; ``samples``: of its recorded message."""
    return LiveBroadcast(
        asked.broadcast,
        by,
        asked.kind,
        # Practice takes no slot from what is meant in earnest.
        Tier.NORMAL if asked.exercise else asked.tier,
        asked.text,
        asked.acknowledge or asked.kind is BroadcastKind.ROLL_CALL,
        asked.exercise,
        now,
        rules.begun(asked.kind, now, now + asked.expires_s * 1000, quiet_ms),
        group,
        {user: PersonReceipt(user) for user in sorted(users)},
        message=asked.message if asked.kind is BroadcastKind.RECORDED else None,
        said=samples,
    )


def from_kept(row: Kept, by: User, receipts: Iterable[PersonReceipt]) -> LiveBroadcast:
    """One that was kept. A talker of before is gone with the server he spoke through."""
    content = row.content
    life = dict(content["life"])
    life["kind"], life["state"] = BroadcastKind(life["kind"]), BroadcastState(life["state"])
    return LiveBroadcast(
        row.id,
        by,
        BroadcastKind(content["kind"]),
        Tier(content["tier"]),
        content["text"],
        content["acknowledge"],
        content["exercise"],
        row.at_ms,
        Life(**known(Life, life)),
        None if content["group"] is None else GroupId(content["group"]),
        {each.user: each for each in receipts},
        message=content.get("message"),
        said=content["said"],
        version=content.get("version", 0),
        saved=True,
    )
