"""What a node knows of phones of other nodes, and looks at of its own to tell them, is looked at when it changes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from groups.vocabulary import GroupId
from poc_server.neighbours.known.far_phone import FarPhone
from poc_server.neighbours.phones.abroad import Abroad
from poc_server.neighbours.phones.own_phones import BEATS, LEAST_LOOKED_AT, OwnPhones
from poc_server.talk.clock import loop_time
from poc_server.talk.phone import Phone
from poc_server.talk.phones import Phones
from signaling.limits import RESUME_S
from tests.talk.test_great_audience import LEADER

GROUP, OTHER = GroupId("g"), GroupId("h")
SOCKET: Any = object()
NOBODY: tuple[set[str], set[str]] = (set(), set())


class Seen:
    """One phone of another node that would hear."""

    def __init__(self) -> None:
        self.phones = Phones()
        self.abroad = Abroad(self.phones)
        self.phone = FarPhone("leader/", LEADER, "s", 2, connection=SOCKET, selected=GROUP, hears=True)
        self.phones[self.phone.key] = self.phone
        self.abroad.placed(self.phone, (), (GROUP,))


def moves(seen: Seen) -> None:
    seen.phone.selected = OTHER
    seen.abroad.placed(seen.phone, (GROUP,), (OTHER,))


def monitors(seen: Seen) -> None:
    seen.phone.selected, seen.phone.monitors = None, (GROUP,)
    seen.abroad.placed(seen.phone, (GROUP,), (GROUP,))


def dies(seen: Seen) -> None:
    seen.abroad.lost([seen.phone], 100.0)


@pytest.mark.parametrize("happens", [moves, monitors, dies])
def test_who_is_in_a_group_elsewhere_is_counted_anew_when_a_phone_there_is_different(
    happens: Callable[[Seen], None],
) -> None:
    seen = Seen()
    assert seen.abroad.users_in(GROUP) == ({LEADER.id}, {LEADER.id})
    assert seen.abroad.users_in(GROUP) is seen.abroad.users_in(GROUP), "and not when somebody asks"
    happens(seen)
    assert seen.abroad.users_in(GROUP) == NOBODY
    assert seen.abroad.users_in(OTHER)[0] == ({LEADER.id} if happens is moves else set())
    assert set(seen.abroad._counted) <= set(seen.abroad._in_group), "nothing is kept of groups that are over"
    assert seen.abroad.monitors_of(GROUP) == ({LEADER.id: LEADER} if happens is monitors else {})


def test_a_phone_whose_node_died_is_gone_when_it_came_back_nowhere_in_time_and_is_told_once() -> None:
    seen = Seen()
    dies(seen)
    assert seen.abroad.gone(100.0 + RESUME_S) == []
    assert seen.abroad.gone(100.1 + RESUME_S) == [seen.phone]
    assert seen.abroad.gone(200.0 + RESUME_S) == []


def test_a_phone_that_came_back_on_another_node_is_not_gone() -> None:
    seen = Seen()
    dies(seen)
    seen.phones[seen.phone.key] = FarPhone("leader/", LEADER, "s", 2)
    assert seen.abroad.gone(200.0 + RESUME_S) == []


class Ears:
    """The media path of a phone that is there."""

    connected = True


async def test_all_phones_of_a_great_node_are_looked_at_within_some_heartbeats_and_who_talks_at_once() -> None:
    phones, talkgroups, told = Phones(), dict[GroupId, Any](), list[set[str]]()
    node: Any = SimpleNamespace(phones=phones, talkgroups=talkgroups)
    own = OwnPhones(node, lambda said: told.append(set(said["phones"])))
    keys = [f"{LEADER.id}/{number}" for number in range(BEATS * LEAST_LOOKED_AT * 2 - 1)]
    for key in keys:
        path: Any = Ears()
        phones[key] = Phone(key, LEADER, "s", 2, peer=path, listening_until=loop_time() + 10)
        own.changed(phones[key])
    own.tell()
    assert told.pop() == set(keys)
    rounds = [own.told_otherwise(loop_time() + 20) for _ in range(BEATS)]
    assert max(map(len, rounds)) == LEAST_LOOKED_AT * 2
    assert sorted(phone.key for part in rounds for phone in part) == sorted(keys)

    on_air = SimpleNamespace(on_air=SimpleNamespace(talker=LEADER))
    talkgroups[GROUP] = SimpleNamespace(bursts=SimpleNamespace(here={1: on_air}))
    assert len(own.told_otherwise(loop_time() + 20)) == len(keys), "all phones of who talks"
