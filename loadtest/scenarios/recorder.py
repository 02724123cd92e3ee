"""What recording costs, and whether it keeps up: one talker before many listeners, and every group talking at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from loadtest.fleet import Fleet
from loadtest.identity import Identity
from loadtest.phone import Phone
from loadtest.procfs import children, cost
from loadtest.result import CannotRun, Progress
from loadtest.scenarios.crowd import AT_ONCE, all_ready, calm, fleet_for, in_one_group
from loadtest.scenarios.talk import bring_up
from loadtest.server import Target, started
from loadtest.speaking import Spoken
from loadtest.speech import recording

SETTLE_S: Final = 3.0
"""After the last packet, recorded or not: the file is made and its row written meanwhile."""
GROUPS_SETTLE_S: Final = 10.0
"""The same after many groups, so that idle phones cost the same on servers that record and that do not."""
WARM_UP_S: Final = 1.0
FINISHED_WITHIN_S: Final = 60.0
LOOK_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of the node and of its worker, and packets delivered."""

    node_s: float
    worker_s: float
    delivered: int


@dataclass(frozen=True, slots=True)
class GroupsOptions:
    """In each of ``groups`` one speaks ``bursts`` times for ``seconds``, all at once, and one listens."""

    groups: int = 200
    seconds: float = 8.0
    bursts: int = 2


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of all that was said in many groups at once."""

    bursts: int
    bursts_lost: int
    packets_sent: int
    packets_recorded: int
    packets_dropped: int
    on_disk_after_s: float


PEOPLE: Final = 2000
"""So many have two people for each of 200 groups."""
TURNS: Final = (False, True, True, False)
"""Whether the server records, in the order in which they are measured."""
ROUNDS: Final = 3
"""How often `TURNS` are gone through with one talker: a burst costs 0.6 to 0.8 s of CPU, as the machine is then."""


async def run(listeners: int, seconds: float, options: GroupsOptions, progress: Progress) -> dict[str, Any]:
    """The same talk before servers that record and that do not, by turns. Raises `CannotRun`.

    First one talks before ``listeners``, then, on servers that have recorded nothing yet, all groups talk at once.
    """
    crowd = await _crowd(listeners, seconds, progress)
    many: dict[bool, list[Spent]] = {False: [], True: []}
    kept: list[Kept] = []
    double_talk = 0
    for records in TURNS:
        async with _server(records) as target:
            spent, found, doubled = await _groups(target, options, progress, records)
            many[records].append(spent)
            kept += [] if found is None else [found]
            double_talk += doubled
    return {
        "listeners": listeners,
        **_cost(crowd),
        "groups": {
            "groups": options.groups,
            **_cost(many),
            "bursts": sum(each.bursts for each in kept),
            "bursts_lost": sum(each.bursts_lost for each in kept),
            "packets_sent": sum(each.packets_sent for each in kept),
            "packets_recorded": sum(each.packets_recorded for each in kept),
            "packets_dropped": sum(each.packets_dropped for each in kept),
            "on_disk_after_s": max(each.on_disk_after_s for each in kept),
        },
        "double_talk": double_talk,
    }


def _server(records: bool) -> AbstractAsyncContextManager[Target]:
    return started(PEOPLE, first=True, env={"POC_RECORDING__ENABLED": str(records).lower()})


def _cost(found: dict[bool, list[Spent]]) -> dict[str, Any]:
    """Each run that was recorded is set against the one beside it in `TURNS` that was not."""
    without = [spent.node_s / spent.delivered * 1e6 for spent in found[False]]
    node = [spent.node_s / spent.delivered * 1e6 for spent in found[True]]
    worker = [spent.worker_s / spent.delivered * 1e6 for spent in found[True]]
    pairs = list(zip(without, node, worker, strict=True))
    return {
        "delivered": sum(spent.delivered for runs in found.values() for spent in runs),
        "us_per_delivered": {"not recording": round(median(without), 3), "recording": round(median(node), 3)},
        "each_us_per_delivered": {
            "not recording": [round(value, 2) for value in without],
            "recording": [round(value, 2) for value in node],
        },
        "worker_us_per_delivered": round(median(worker), 3),
        "extra_percent": round((median(more / less for less, more, _ in pairs) - 1) * 100, 1),
        "extra_percent_with_worker": round((median((more + files) / less for less, more, files in pairs) - 1) * 100, 1),
    }


async def _crowd(listeners: int, seconds: float, progress: Progress) -> dict[bool, list[Spent]]:
    """One talks before ``listeners`` on a server that records and on one that does not, `ROUNDS` times by turns.

    Both stand beside each other all the while, each with phones of its own: what the machine does meanwhile, and how
    fast it is, meets them alike.
    """
    found: dict[bool, list[Spent]] = {False: [], True: []}
    async with AsyncExitStack() as both:
        talks = {records: await _bring_up(both, records, listeners, progress) for records in (False, True)}
        for talk in talks.values():
            # The worker reads its libraries at its first file, once in its life.
            await talk.say(WARM_UP_S)
            await calm(talk.target, listeners)
        for records in TURNS * ROUNDS:
            found[records].append(await talks[records].spend(seconds))
    return found


async def _bring_up(both: AsyncExitStack, records: bool, listeners: int, progress: Progress) -> _Talk:
    target = await both.enter_async_context(_server(records))
    if target.pid is None:
        raise CannotRun("the cost of a server on another machine cannot be seen")
    group, people = in_one_group(target.identities, listeners + 1)
    fleet = await both.enter_async_context(fleet_for(target))
    phones = fleet.make(people, closely_every=listeners)
    all_ready(await fleet.connect(phones, at_once=AT_ONCE, progress=progress, then=group))
    fleet.settle()
    await calm(target, len(phones))
    return _Talk(target, target.pid, fleet, phones[0], group)


@dataclass(frozen=True, slots=True)
class _Talk:
    """One who talks before the others of his fleet."""

    target: Target
    pid: int
    fleet: Fleet
    talker: Phone
    group: str

    async def say(self, seconds: float) -> None:
        self.fleet.air.begin(self.talker.number, self.talker.presses + 1, self.group)
        await self.fleet.speaker.speak(self.talker, self.group, recording("zh-report"), seconds=seconds)
        await asyncio.sleep(SETTLE_S)

    async def spend(self, seconds: float) -> Spent:
        """What ``seconds`` of talk cost. Raises `CannotRun` where nobody hears it."""
        heard, before, worker = self.fleet.packets_heard(), self.target.cost(), _worker_s(self.pid)
        await self.say(seconds)
        delivered = self.fleet.packets_heard() - heard
        if not delivered:
            raise CannotRun("nothing was heard")
        return Spent(self.target.cost().cpu_s - before.cpu_s, _worker_s(self.pid) - worker, delivered)


def _worker_s(pid: int) -> float:
    return sum(cost(child).cpu_s for child in children(pid))


async def _groups(
    target: Target, options: GroupsOptions, progress: Progress, records: bool
) -> tuple[Spent, Kept | None, int]:
    """Every group talks at once; what is on disk in the end is compared with what was sent.

    Returns also how often two talked in one group.
    """
    if target.pid is None:
        raise CannotRun("the cost of a server on another machine cannot be seen")
    shares = _pairs(target.identities, options.groups)
    async with fleet_for(target) as fleet, _client(target) as client:
        groups = {group: fleet.make(people, closely_every=options.groups) for group, people in shares.items()}
        await bring_up(fleet, groups, 2 * options.groups, progress)
        fleet.settle()
        await calm(target, len(fleet.phones))
        sent: list[tuple[Phone, Spoken]] = []

        async def say(group: str, phone: Phone) -> None:
            for _ in range(options.bursts):
                fleet.air.begin(phone.number, phone.presses + 1, group)
                one = await fleet.speaker.speak(phone, group, recording("zh-report"), seconds=options.seconds)
                sent.append((phone, one))

        progress("talking", 0, 1)
        metrics = await _metrics(client)
        finished = metrics.get("poc_recorder_finished_total", 0)
        heard, before, worker = fleet.packets_heard(), target.cost(), _worker_s(target.pid)
        await asyncio.gather(*(say(group, phones[0]) for group, phones in groups.items()))
        granted = [(phone, one) for phone, one in sent if one.press.granted]
        found, waited = None, 0.0
        if records:
            waited = await _finished(client, int(finished) + len(granted), progress)
            rows = await asyncio.gather(*(_kept(client, group, phones[0]) for group, phones in groups.items()))
            dropped = (await _metrics(client)).get("poc_recorder_dropped_total", 0)
            found = Kept(
                bursts=len(granted),
                bursts_lost=len(granted) - sum(len(each) for each in rows),
                packets_sent=sum(one.packets for _, one in granted),
                packets_recorded=sum(row["packets"] for each in rows for row in each),
                packets_dropped=int(dropped),
                on_disk_after_s=round(waited, 1),
            )
        await asyncio.sleep(max(0.0, GROUPS_SETTLE_S - waited))
        delivered = fleet.packets_heard() - heard
        spent = Spent(target.cost().cpu_s - before.cpu_s, _worker_s(target.pid) - worker, delivered)
        return spent, found, fleet.air.double_talk()


def _pairs(identities: Sequence[Identity], groups: int) -> dict[str, list[Identity]]:
    """Two people for each of ``groups`` groups, nobody twice. Raises `CannotRun` when there are too few."""
    waiting: dict[str, list[Identity]] = {}
    pairs: dict[str, list[Identity]] = {}
    for identity in identities:
        group = next((each for each in identity.talks if each not in pairs), None)
        if group is None or len(pairs) == groups:
            continue
        waiting.setdefault(group, []).append(identity)
        if len(waiting[group]) == 2:
            pairs[group] = waiting.pop(group)
    if len(pairs) < groups:
        raise CannotRun(f"{len(pairs)} groups have two people who may talk, {groups} are asked for")
    return pairs


def _client(target: Target) -> httpx.AsyncClient:
    parts = urlsplit(target.url)
    return httpx.AsyncClient(base_url=f"http://{parts.hostname}:{parts.port}", timeout=30.0)


async def _metrics(client: httpx.AsyncClient) -> dict[str, float]:
    lines = (await client.get("/metrics")).text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


async def _finished(client: httpx.AsyncClient, bursts: int, progress: Progress) -> float:
    """Seconds from the last word until every burst is a file with a row, or until it is not to be waited for."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while loop.time() - start < FINISHED_WITHIN_S:
        done = (await _metrics(client)).get("poc_recorder_finished_total", 0)
        progress("on disk", done, bursts)
        if done >= bursts:
            break
        await asyncio.sleep(LOOK_S)
    return loop.time() - start


async def _kept(client: httpx.AsyncClient, group: str, phone: Phone) -> list[dict[str, Any]]:
    """The group's recordings of this phone that have a file, once SQL has them."""
    headers = {"authorization": f"Bearer {phone.identity.token}"}
    rows: list[dict[str, Any]] = []
    for _ in range(10):
        asked = {"group": group, "user": phone.identity.user}
        answer = await client.get("/api/v1/recordings", params=asked, headers=headers)
        rows = [row for row in answer.json()["recordings"] if row["audio"]]
        if len(rows) >= phone.presses:
            break
        await asyncio.sleep(LOOK_S)
    return rows
