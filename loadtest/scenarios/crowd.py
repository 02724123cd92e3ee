"""Phones brought up in their groups: how every scenario begins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from loadtest.fleet import Fleet
from loadtest.identity import Identity
from loadtest.result import CannotRun
from loadtest.server import Target

AT_ONCE = 32
"""Phones that connect at the same time where connecting is not what is measured."""

CALM_S: Final = 30.0
CALM_LOOK_S: Final = 1.0
CALM_LOOKS: Final = 3
"""Looks that are held against as many before them: some of what a phone that comes costs is paid seconds after it came
(its buffers are warmed for one, its TLS state is freed after five)."""
DIFFERS: Final = 0.2
NOISE: Final = 0.005
"""Of a core: a server that costs no more and no less than before, but for this and a fifth of it, is at rest."""
FEW: Final = 100
FEW_SHARE: Final = 0.05
"""Of a core: what fewer phones than that cost when they come is over when the server is below it."""
NOT_AT_REST: Final = f"The server had not come to rest {CALM_S:.0f} s after the last phone came."


@dataclass(frozen=True, slots=True)
class Rest:
    """What a server costs with its phones there and nobody talking, after ``waited_s``.

    Attributes:
        reached: it costs the same all the time; else waiting was given up.
        share: of a core.
    """

    reached: bool
    share: float
    waited_s: float


def share_out(identities: Sequence[Identity], groups: int, phones: int) -> dict[str, list[Identity]]:
    """``phones`` identities over the ``groups`` groups in which most may talk, as evenly as memberships allow.

    Raises `CannotRun` when there are too few identities or groups.
    """
    members: dict[str, int] = {}
    for identity in identities:
        for group in identity.talks:
            members[group] = members.get(group, 0) + 1
    chosen = sorted(members, key=lambda g: (-members[g], g))[:groups]
    if len(chosen) < groups:
        raise CannotRun(f"the identities talk in {len(members)} groups, {groups} are asked for")
    shares: dict[str, list[Identity]] = {group: [] for group in chosen}
    taken = 0
    for identity in identities:
        open_to = [group for group in identity.talks if group in shares]
        if open_to and taken < phones:
            min((shares[group] for group in open_to), key=len).append(identity)
            taken += 1
    if taken < phones:
        raise CannotRun(f"{taken} identities talk in these groups, {phones} phones are asked for")
    return shares


def in_one_group(identities: Sequence[Identity], phones: int) -> tuple[str, list[Identity]]:
    """The group in which most may talk, and ``phones`` of them. Raises `CannotRun` when there are fewer."""
    [(group, people)] = share_out(identities, 1, phones).items()
    return group, people


@asynccontextmanager
async def fleet_for(target: Target) -> AsyncIterator[Fleet]:
    """A fleet that leaves in the end."""
    fleet = Fleet(target.url)
    try:
        yield fleet
    finally:
        await fleet.close()


async def calm(target: Target, phones: int) -> Rest:
    """Wait until the server, with ``phones`` connected, has done what one that comes costs once; at most `CALM_S`."""
    loop, shares = asyncio.get_running_loop(), list[float]()
    began = at = loop.time()
    cpu_s = target.cost().cpu_s
    while at - began < CALM_S and not at_rest(shares, phones):
        await asyncio.sleep(CALM_LOOK_S)
        now, cost = loop.time(), target.cost().cpu_s
        shares.append((cost - cpu_s) / (now - at))
        at, cpu_s = now, cost
    return Rest(at_rest(shares, phones), fmean(shares[-CALM_LOOKS:]), at - began)


def at_rest(shares: Sequence[float], phones: int) -> bool:
    """Whether a server that cost these shares of a core, look by look, has come to what it costs all day."""
    if phones < FEW:
        return bool(shares) and shares[-1] <= FEW_SHARE
    if len(shares) < 2 * CALM_LOOKS:
        return False
    before, now = fmean(shares[-2 * CALM_LOOKS : -CALM_LOOKS]), fmean(shares[-CALM_LOOKS:])
    return abs(now - before) <= NOISE + DIFFERS * before


def all_ready(failures: Sequence[str]) -> None:
    """Raises `CannotRun` if any phone failed to connect: figures of half a fleet would mislead."""
    if failures:
        raise CannotRun(f"{len(failures)} phones did not connect: {', '.join(sorted(set(failures))[:3])}")
