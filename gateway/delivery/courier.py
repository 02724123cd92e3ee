"""The courier: carries what waits in the outbox to one receiver, in order per incident, for as long as it takes.

It owns no state: the store has it all, so that a courier that dies is replaced by the next one without loss.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Protocol

import httpx

from gateway.delivery.events import Event
from gateway.delivery.outbound import Materials, NotWanted, render, succeeded, wants_audio
from gateway.delivery.outbox import DEFAULT, Delivery, Outcome, Policy, settle
from gateway.delivery.receiver import Health, Receiver
from gateway.mapping.mapping import MappingFile

AT_ONCE = 16
"""Incidents told to one receiver at the same time."""
LONGEST_NAP_S = 30.0
"""A courier looks into the outbox at least this often, though nobody woke it."""
_ANSWER_BYTES = 65_536
_ERROR_CHARS = 300


class OutboxStore(Protocol):
    """Where one receiver's deliveries stand. Events get there in the transaction of their fact."""

    async def health(self) -> Health:
        """How the receiver has been doing."""
        ...

    async def heads(self, now: int, limit: int) -> tuple[Delivery, ...]:
        """Of each incident the first delivery that waits, if it is due; claimed, so that no other courier gets it."""
        ...

    async def next_due(self) -> int | None:
        """When the next delivery is due, in ms; None when nothing waits."""
        ...

    async def settle(self, deliveries: Sequence[Delivery], health: Health) -> None:
        """Writes what attempts came to, and gives the claims back."""
        ...


class MaterialsPort(Protocol):
    """Gathers what belongs to an event when it is sent: the incident, a fresh link, the audio if it is wanted."""

    async def gather(self, event: Event, audio: bool) -> Materials | None:
        """None: not to be had yet (a recording still being written), try later."""
        ...


class Courier:
    """Carries deliveries to one receiver until it is cancelled."""

    def __init__(
        self,
        receiver: Receiver,
        mapping: MappingFile | None,
        store: OutboxStore,
        materials: MaterialsPort,
        client: httpx.AsyncClient,
        source: str,
        clock: Callable[[], int],
        policy: Policy = DEFAULT,
    ) -> None:
        self._receiver, self._mapping, self._store = receiver, mapping, store
        self._materials, self._client, self._source = materials, client, source
        self._clock, self._policy = clock, policy
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something new waits."""
        self._wake.set()

    async def run(self) -> None:
        """Carries for ever; one failing attempt never ends it."""
        while True:
            self._wake.clear()
            if not await self.carry():
                await self._nap()

    async def carry(self) -> int:
        """Tries what is due now; returns how many attempts were made."""
        health = await self._store.health()
        now = self._clock()
        if health.stopped or (health.probe_at is not None and now < health.probe_at):
            return 0
        at_once = 1 if health.probe_at is not None else AT_ONCE
        heads = await self._store.heads(now, at_once)
        outcomes = await asyncio.gather(*(self._attempt(delivery) for delivery in heads))
        done, stopped = [], False
        for delivery, outcome in zip(heads, outcomes, strict=True):
            jitter = random.random()  # noqa: S311 spreads retries, protects nothing
            after, health = settle(delivery, health, outcome, self._clock(), jitter, self._policy)
            # Gone (410) stays said, whatever others of the same moment came to.
            stopped = stopped or health.stopped
            done.append(after)
        health = replace(health, stopped=stopped)
        if done:
            await self._store.settle(done, health)
        return len(done)

    async def _nap(self) -> None:
        due = await self._store.next_due()
        health = await self._store.health()
        seconds = LONGEST_NAP_S
        if due is not None and not health.stopped:
            until = max(due, health.probe_at or 0)
            seconds = min(LONGEST_NAP_S, max(0.01, (until - self._clock()) / 1000))
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _attempt(self, delivery: Delivery) -> Outcome:
        event = delivery.event
        try:
            materials = await self._materials.gather(event, wants_audio(event, self._mapping))
            if materials is None:
                return Outcome(False, error="the recording is not ready", postponed=True)
            request = render(self._receiver, self._mapping, event, materials, self._source, self._clock())
            async with asyncio.timeout(self._receiver.timeout_s):
                return await self._send(request, event)
        except NotWanted:
            return Outcome(True)
        except TimeoutError:
            return Outcome(False, None, f"no answer within {self._receiver.timeout_s:g} s")
        except httpx.HTTPError as problem:
            return Outcome(False, None, f"{type(problem).__name__}: {problem}"[:_ERROR_CHARS])
        except Exception as problem:  # one event that cannot be rendered must not end the courier
            return Outcome(False, 400, f"cannot be sent: {type(problem).__name__}: {problem}"[:_ERROR_CHARS])

    async def _send(self, request: httpx.Request, event: Event) -> Outcome:
        # The client's own patience would be shorter than what was set for this receiver.
        request.extensions = {**request.extensions, "timeout": httpx.Timeout(self._receiver.timeout_s).as_dict()}
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            answer = b""
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) >= _ANSWER_BYTES:
                    break
        finally:
            await response.aclose()
        taken = succeeded(self._mapping, event, response.status_code, answer)
        error = "" if taken else f"HTTP {response.status_code}: {answer[:200].decode('utf-8', 'replace')}"
        return Outcome(taken, response.status_code, error, _retry_after(response, self._clock()))


def _retry_after(response: httpx.Response, now: int) -> int | None:
    text = response.headers.get("retry-after", "")
    if text.isascii() and text.isdigit() and len(text) < 8:
        return int(text) * 1000
    try:
        return max(0, int(parsedate_to_datetime(text).timestamp() * 1000) - now)
    except (ValueError, TypeError, OverflowError):
        return None
