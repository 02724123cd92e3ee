"""Phones that come to the one port of two nodes: those of a small group are on one of them, by whichever they came."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from groups.vocabulary import Refusal
from loadtest.identity import Identity
from signaling.messages import Bye
from tests.support.city import City
from tests.support.handsets import WAIT_S, Handset, Handsets

pytestmark = [pytest.mark.wire]
PHONES = 12
"""That all of them come to the right node by themselves happens once in 2,048 times, and costs one try more."""


def on_nodes(city: City, name: str) -> list[float]:
    return [city.node_metric(number, name) for number in range(len(city.own_ports))]


def roomy(street: Handsets) -> str:
    """The smallest group with people enough."""
    of = {group: len(street.someone(999, group)) for each in street.identities for group in each.talks}
    return min((group for group, people in of.items() if people >= PHONES), key=lambda group: (of[group], group))


async def come(street: Handsets, group: str, count: int = PHONES) -> list[Handset]:
    """To the port that all nodes share, as pages do."""
    phones = []
    for identity in street.someone(count, group):
        phones.append(await come_as(street, identity, f"?group={group}"))
        await phones[-1].select(group)
    return phones


async def come_as(street: Handsets, identity: Identity, query: str) -> Handset:
    phone = Handset(street.reactor, identity, len(street.phones) + 1, 2)
    street.phones.append(phone)
    await phone.connect(f"ws://127.0.0.1:{street.city.port}/ws{query}")
    return phone


async def test_the_phones_of_a_group_are_on_one_node_by_whichever_they_came(city: City, street: Handsets) -> None:
    group = roomy(street)
    before, passed = on_nodes(city, "poc_phones_connected"), sum(on_nodes(city, "poc_sockets_passed_on_total"))
    phones = await come(street, group)
    came = [now - was for was, now in zip(before, on_nodes(city, "poc_phones_connected"), strict=True)]
    assert sorted(came) == [0, len(phones)]
    assert sum(on_nodes(city, "poc_sockets_passed_on_total")) > passed
    await asyncio.gather(phones[0].say(group, 20), *(each.until_packets(15) for each in phones[1:]))
    assert sum(on_nodes(city, "poc_sockets_passing")) > 0


async def test_who_loses_his_socket_keeps_his_voice_path_by_whichever_node_he_is_back(
    city: City, street: Handsets
) -> None:
    group = roomy(street)
    phones = await come(street, group, 4)
    for phone in phones * 3:
        await phone.come_back(f"ws://127.0.0.1:{city.port}/ws?group={group}")
        assert phone.welcome is not None
        assert (phone.welcome.resumed, phone.welcome.selected, phone.welcome.offer) == (True, group, None)
    await asyncio.gather(phones[0].say(group, 20), *(each.until_packets(15) for each in phones[1:]))


@pytest.mark.parametrize("query", ["?group=no-such-group", "?group=%00%ff", "?here=1", "?" + "group=x&" * 200])
async def test_who_names_what_is_no_group_or_wants_to_stay_is_served_where_he_came(
    city: City, street: Handsets, query: str
) -> None:
    passed = on_nodes(city, "poc_sockets_passed_on_total")
    for identity in street.someone(6):
        await come_as(street, identity, query)
    assert on_nodes(city, "poc_sockets_passed_on_total") == passed


async def test_who_names_no_group_is_where_the_closest_of_his_own_is(city: City, street: Handsets) -> None:
    before = on_nodes(city, "poc_phones_connected")
    people = [await come_as(street, identity, "?here=1") for identity in street.someone(30)]
    closest = Counter(each.welcome.groups[0].id for each in people if each.welcome is not None)
    group, count = closest.most_common(1)[0]
    team = [each for each in people if each.welcome is not None and each.welcome.groups[0].id == group]
    for phone in people:
        phone.close()
    async with asyncio.timeout(WAIT_S):
        while await asyncio.to_thread(on_nodes, city, "poc_phones_connected") != before:  # noqa: ASYNC110 - told nobody
            await asyncio.sleep(0.05)
    again = []
    for phone in team:
        again.append(await come_as(street, phone.identity, ""))
        await again[-1].select(group)
    assert count > 2
    came = [now - was for was, now in zip(before, on_nodes(city, "poc_phones_connected"), strict=True)]
    assert sorted(came) == [0, len(again)]


async def test_who_talks_elsewhere_now_comes_to_the_others_when_nobody_speaks(city: City, street: Handsets) -> None:
    group, sent = roomy(street), sum(on_nodes(city, "poc_phones_sent_home_total"))
    hints = sorted({each for identity in street.identities for each in identity.groups})
    people = zip(street.someone(PHONES, group), hints, strict=False)
    phones = [await come_as(street, identity, f"?group={hint}") for identity, hint in people]
    stays = await come_as(street, street.someone(1, group)[0], "?here=1")
    for phone in (*phones, stays):
        await phone.select(group)
    async with asyncio.timeout(WAIT_S):
        while len({each.voice.address for each in phones}) > 1:
            for phone in phones:
                if phone.gone is not None:
                    assert (await phone.told(Bye)).code is Refusal.MOVED
                    await phone.come_back(f"ws://127.0.0.1:{city.port}/ws")
                    assert phone.welcome is not None
                    assert (phone.welcome.resumed, phone.welcome.selected) == (True, group)
            await asyncio.sleep(0.05)
    assert sum(on_nodes(city, "poc_phones_sent_home_total")) > sent
    assert stays.gone is None
    await asyncio.gather(phones[0].say(group, 20), *(each.until_packets(15) for each in (*phones[1:], stays)))
