"""People of one patrol, each on the node that a test wants him on."""

from __future__ import annotations

from tests.emergency.cast import Cast
from tests.support.handsets import Handset, Handsets


async def patrol(street: Handsets, *nodes: int) -> tuple[str, list[Handset]]:
    """A group, and for each of ``nodes`` one of its people there, who has selected it."""
    cast = Cast(street.city, street)
    people = cast.identities(*(f"BJ-{number:03}" for number in range(1, len(nodes) + 1)))
    phones = [await street.connect(each, node=node) for each, node in zip(people, nodes, strict=True)]
    group = cast.group(phones[0], "滨江巡查组")
    for phone in phones:
        await phone.select(group)
    return group, phones
