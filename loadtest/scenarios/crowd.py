"""Phones brought up in their groups: how every scenario begins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from loadtest.fleet import Fleet
from loadtest.identity import Identity
from loadtest.result import CannotRun
from loadtest.server import Target

AT_ONCE = 32
"""Phones that connect at the same time where connecting is not what is measured."""

CALM_S = 20.0
CALM_LOOK_S = 1.0
CALM_SHARE = 0.05
IDLE_SHARE = 0.00025
"""Of a core, and of a core per phone: below their sum the server is only looking after phones that are there."""


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


async def calm(target: Target, phones: int) -> None:
    """Wait until the server, with ``phones`` connected, has done what one that comes costs once; at most `CALM_S`."""
    deadline = asyncio.get_running_loop().time() + CALM_S
    while asyncio.get_running_loop().time() < deadline:
        before = target.cost().cpu_s
        await asyncio.sleep(CALM_LOOK_S)
        if target.cost().cpu_s - before <= (CALM_SHARE + phones * IDLE_SHARE) * CALM_LOOK_S:
            return


def all_ready(failures: Sequence[str]) -> None:
    """Raises `CannotRun` if any phone failed to connect: figures of half a fleet would mislead."""
    if failures:
        raise CannotRun(f"{len(failures)} phones did not connect: {', '.join(sorted(set(failures))[:3])}")
