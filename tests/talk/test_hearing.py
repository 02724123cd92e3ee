"""Who hears what on which slot, with a real server and simulated phones on the wire."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from groups.vocabulary import GroupKind, Refusal
from loadtest.identity import Identity, read_links_file
from loadtest.phone import Phone, PhoneFailed
from loadtest.speech import recording
from loadtest.wire.dtls import Credentials
from loadtest.wire.reactor import Reactor
from signaling.messages import CallEnded, CallLeave, CallRinging, CallStart, CallStopped, FloorIdle, FloorTaken, Slot
from tests.emergency.cast import Cast
from tests.support.city import City, running_city
from tests.support.handsets import handsets
from tools.docs.protocol import PAGE

pytestmark = pytest.mark.wire
CREDENTIALS = Credentials()
PROGRAM = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
WAIT_S = 30.0
FRAMES = 10


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("hearing")
    ends_soon = {"POC_TALK__RING_S": "1", "POC_TALK__TEMPORARY_HANG_S": "1"}
    with running_city(folder / "data", "--links", str(folder / "links"), env=ends_soon) as made:
        yield made


@dataclass
class Street:
    """The phones of one test, and what each was told of its slots."""

    url: str
    identities: list[Identity]
    reactor: Reactor = field(default_factory=Reactor)
    phones: list[Phone] = field(default_factory=list)
    told: dict[int, list[tuple[int, str | None, str | None]]] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def phone(self, identity: Identity, slots: int = 2) -> Phone:
        made = Phone(self.reactor, CREDENTIALS, identity, len(self.phones) + 1, closely=True, slots=slots)
        self.phones.append(made)
        self.told[made.number] = []

        def note(message: object, _stamp: int) -> None:
            if isinstance(message, Slot):
                by = message.by.id if message.by else None
                self.told[made.number].append((message.slot, message.group, by))
            self.news.set()

        made.on_message = note
        await made.connect(self.url)
        return made

    async def until_told(self, phone: Phone, *expected: tuple[int, str | None, str | None]) -> None:
        """Wait for just these `slot` messages, in this order, and forget them."""
        async with asyncio.timeout(WAIT_S):
            while len(self.told[phone.number]) < len(expected):
                self.news.clear()
                await self.news.wait()
        assert self.told[phone.number] == list(expected)
        self.told[phone.number].clear()


@pytest.fixture
async def street(city: City) -> AsyncIterator[Street]:
    made = Street(f"ws://127.0.0.1:{city.port}/ws", read_links_file(city.data.parent / "links"))
    yield made
    for phone in made.phones:
        phone.close()
    made.reactor.close()


async def talk(phone: Phone, group: str) -> None:
    """Press, be granted, and say something."""
    press = phone.press_key(group)
    await asyncio.wait_for(asyncio.shield(press.settled), WAIT_S)
    assert press.burst is not None
    speech = recording("zh-report")
    for number, frame in enumerate(speech.frames[:FRAMES]):
        phone.speak(frame.marked(phone.number, 1, number, time.time_ns()), number * speech.step)


async def heard(phone: Phone, slot: int, packets: int) -> None:
    """Wait until a slot has carried so many packets."""
    more = asyncio.Event()
    phone.voice.on_mark = lambda *_: more.set()
    async with asyncio.timeout(WAIT_S):
        while phone.voice.slots[slot].packets < packets:
            more.clear()
            await more.wait()


async def cast(street: Street) -> tuple[Phone, list[tuple[str, Phone]], Phone]:
    """A listener of three groups, a talker in each, and one who is connected but listens to none of them."""
    most = max(street.identities, key=lambda identity: len(identity.groups))
    listener = await street.phone(most)
    assert listener.welcome is not None
    chat = [group.id for group in listener.welcome.groups if group.kind is GroupKind.CHAT and group.members > 2]
    talkers: list[tuple[str, Phone]] = []
    used = {most.user}
    for group in chat:
        free = [each for each in street.identities if group in each.groups and each.user not in used]
        if len(talkers) < 3 and free:
            phone = await street.phone(free[0])
            assert phone.welcome is not None
            used.add(free[0].user)
            if any(each.id == group and each.may_talk for each in phone.welcome.groups):
                await phone.select(group)
                talkers.append((group, phone))
    outsider = await street.phone(next(each for each in street.identities if each.user not in used))
    groups = [group for group, _ in talkers]
    await outsider.select(next(group for group in outsider.identity.groups if group not in groups))
    await listener.select(groups[0])
    await listener.listen(groups[1:])
    return listener, talkers, outsider


async def test_remote_listening_is_off_unless_the_operator_switched_it_on(city: City, street: Street) -> None:
    people = {person["badge"]: person["id"] for person in city.get("/api/v1/demo/people")}
    one, other = (next(each for each in street.identities if each.user == people[b]) for b in ("ZB-001", "BJ-001"))
    leader = await street.phone(one)
    assert leader.welcome is not None
    assert "remote_listening" not in leader.welcome.rights, "no page offers it"
    with pytest.raises(PhoneFailed) as refused:
        await leader.request(CallStart(id="r1", kind="ambient", users=[other.user]))
    assert refused.value.code is Refusal.NOT_ALLOWED
    token = city.post(f"/api/v1/demo/people/{people['SJ-001']}/step-in")["access_token"]
    async with asyncio.timeout(WAIT_S):
        while not (rows := city.get("/api/v1/audit?action=listen_remotely.refused", token)["items"]):  # noqa: ASYNC110 - the audit tells nobody
            await asyncio.sleep(0.05)
    assert (rows[0]["actor"], rows[0]["target"]) == (leader.identity.user, other.user)


async def test_what_nobody_answers_and_where_nobody_talks_ends_by_itself(city: City) -> None:
    async with handsets(city, city.data.parent / "links") as street:
        dispatcher, a, b = await Cast(city, street).phones("PQ-001", "BJ-001", "BJ-002")
        temporary, _ = await dispatcher.request(CallStart(id="t1", kind="group", users=[b.user], name="路口"))
        rings, _ = await dispatcher.request(CallStart(id="n1", users=[a.user], answering="manual"))
        await a.told(CallRinging, call=rings.call)
        ended = await dispatcher.told(CallEnded, call=rings.call)
        assert (ended.end, ended.message) == ("no_answer", "No answer")
        assert (await a.told(CallStopped, call=rings.call)).part == "no_answer"
        for phone in (dispatcher, b):
            assert (await phone.told(CallEnded, call=temporary.call)).end == "inactivity"
        with pytest.raises(PhoneFailed) as refused:
            await b.request(CallLeave(id="l1", call=temporary.call))
        assert refused.value.code is Refusal.CALL_OVER


async def test_slots_are_taken_over_by_the_selected_group_and_given_back(street: Street) -> None:
    listener, ((first, one), (second, two), (third, three)), outsider = await cast(street)
    await talk(three, third)
    await street.until_told(listener, (0, third, three.identity.user))
    await talk(two, second)
    await street.until_told(listener, (1, second, two.identity.user))
    await heard(listener, 0, FRAMES)
    await heard(listener, 1, FRAMES)

    await talk(one, first)
    await street.until_told(listener, (0, first, one.identity.user))
    one.release_key()
    await street.until_told(listener, (0, third, three.identity.user))
    three.release_key()
    two.release_key()
    async with asyncio.timeout(WAIT_S):
        while len(street.told[listener.number]) < 2:
            street.news.clear()
            await street.news.wait()
    assert sorted(street.told[listener.number]) == [(0, None, None), (1, None, None)]

    assert street.told[outsider.number] == []
    assert [slot.packets for slot in outsider.voice.slots] == [0, 0]
    for talker in (one, two, three):
        assert [slot.packets for slot in talker.voice.slots] == [0, 0], "no talker hears itself, or another group"


async def test_who_selects_a_group_on_air_hears_it_and_hears_it_no_more_after(street: Street) -> None:
    listener, ((_, _), (second, two), _), _ = await cast(street)
    await listener.listen([])
    known = {phone.identity.user for phone in street.phones}
    company = next(each for each in street.identities if second in each.groups and each.user not in known)
    await (await street.phone(company)).select(second)
    await talk(two, second)
    assert street.told[listener.number] == []
    await listener.select(second)
    await street.until_told(listener, (0, second, two.identity.user))
    await heard(listener, 0, 1)
    await listener.select(next(group for group in listener.identity.groups if group != second))
    await street.until_told(listener, (0, None, None))


async def test_who_comes_back_is_told_what_its_slots_carry_and_who_has_the_floor(street: Street) -> None:
    listener, ((first, one), (second, two), _), _ = await cast(street)
    await talk(one, first)
    await street.until_told(listener, (0, first, one.identity.user))
    floors: list[tuple[str, int | None]] = []
    note = listener.on_message
    assert note is not None

    def also_floors(message: object, stamp: int) -> None:
        if isinstance(message, FloorTaken | FloorIdle):
            floors.append((message.group, message.burst if isinstance(message, FloorTaken) else None))
        note(message, stamp)

    listener.on_message = also_floors
    heard_before = listener.voice.slots[0].packets
    await listener.come_back(street.url)
    assert listener.welcome is not None
    assert listener.welcome.resumed
    assert listener.welcome.offer is None, "media goes on"
    await street.until_told(listener, (0, first, one.identity.user), (1, None, None))
    assert one.press is not None
    assert (first, one.press.burst) in floors
    assert (second, None) in floors
    await talk(two, second)
    await street.until_told(listener, (1, second, two.identity.user))
    await heard(listener, 1, FRAMES)
    assert listener.voice.slots[0].packets >= heard_before


async def test_the_first_session_of_the_protocol_page_is_heard(city: City) -> None:
    program = PROGRAM.search(PAGE.read_text("utf-8"))
    assert program is not None
    names: dict[str, Any] = {"__name__": "first_session"}
    exec(compile(program[1], str(PAGE), "exec"), names)
    assert await names["first_session"](city.url) > 0.3
