"""What nodes share, as one interface with two implementations: in-process (`local`) and Redis (`redis`).

A *step* is all or nothing: the new state and the events are written and published together, or, when another node was
quicker, the transition runs again on the newer state. The machines' logic stays in Python; the fabric knows none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

S = TypeVar("S")


class Codec(Protocol[S]):
    """How a machine's state and effects become JSON and back."""

    def state_to_json(self, state: S) -> Any:
        """State as JSON values."""

    def state_from_json(self, value: Any) -> S:
        """State from JSON values."""

    def event_to_json(self, event: Any) -> Any:
        """One effect as JSON values."""

    def event_from_json(self, value: Any) -> Any:
        """One effect from JSON values."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The event that stands for all that was missed: the state was read whole, follow it from here.

    A node gets it when it begins to follow a key that has a past, after a gap, and after an outage. Never on one node.
    """


LOADED = Loaded()

Transition = Callable[[S, int], tuple[S, Sequence[Any]]]
"""``(state, now_ms) -> (state', events)``; may run more than once, so it has no effects of its own."""

Subscriber = Callable[[S, Sequence[Any], int], None]
"""``(state', events, version)``, called on the loop on every node that watches the key."""

Merge = Callable[[S, S], S]
"""``(mine, theirs) -> state``: what holds after a time in which two nodes did not see each other."""


class Fabric(Protocol):
    """The shared state of all nodes.

    Attributes:
        jitter_ms: a timer that every node arms is armed up to so much late, so that mostly one finds it due.
    """

    @property
    def jitter_ms(self) -> int:
        """See above; 0 on one node."""

    def now(self) -> int:
        """The fabric's clock, ms since the epoch: the same for all nodes. It neither goes back nor stands still."""

    def wall(self) -> int:
        """The same, but set back where that clock is: for what people are shown, and how long a token holds."""

    def watch(
        self, key: str, initial: S, codec: Codec[S], subscriber: Subscriber[S], merge: Merge[S] | None = None
    ) -> Watch[S]:
        """Begin to follow ``key``; its state is ``initial`` when nobody has written it yet.

        ``merge`` judges between this node's state and the shared one after an outage; without it the shared one holds.
        """


class Watch(Protocol[S]):
    """One node's hold on one key."""

    @property
    def state(self) -> S:
        """The newest state seen here."""

    async def step(self, transition: Transition[S]) -> None:
        """Run a transition; returns when written. Raises `Unavailable` when it could not be."""

    def close(self) -> None:
        """Stop following; the state stays while another node follows it, or it is not ``initial``."""


class Unavailable(Exception):
    """The shared state cannot be reached."""
