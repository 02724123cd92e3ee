from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from groups.audience import Audience, Change, assign
from groups.precedence import Voice
from groups.vocabulary import BurstId, GroupId, UserId


@dataclass(frozen=True)
class OnAir:
    group: GroupId
    burst: BurstId
    speaker: UserId
    voice: Voice = Voice.NORMAL
    number: int = 0


A, B, C = GroupId("a"), GroupId("b"), GroupId("c")


def burst(
    group: GroupId, talker: str = "talker", voice: Voice = Voice.NORMAL, number: int = 0, serial: int = 1
) -> OnAir:
    return OnAir(group, BurstId(serial), UserId(talker), voice, number)


def begin(audience: Audience[str, OnAir], on_air: OnAir) -> list[Change[str, OnAir]]:
    audience.began(on_air)
    return placed(audience, on_air.group)


def end(audience: Audience[str, OnAir], on_air: OnAir) -> list[Change[str, OnAir]]:
    audience.ended(on_air.group, on_air.burst)
    return placed(audience, on_air.group)


def placed(audience: Audience[str, OnAir], group: GroupId) -> list[Change[str, OnAir]]:
    return [change for key in audience.listeners(group) for change in audience.place(key)]


def phone(*groups: GroupId, slots: int = 2) -> Audience[str, OnAir]:
    audience: Audience[str, OnAir] = Audience()
    audience.join("phone", UserId("me"), slots, groups)
    return audience


def test_a_burst_is_heard_by_those_who_listen_to_its_group_and_by_no_one_else() -> None:
    audience = phone(A)
    audience.join("other", UserId("other"), 2, [B])
    assert begin(audience, burst(A)) == [Change("phone", 0, None, burst(A))]
    assert audience.heard("other") == (None, None)


def test_the_talker_does_not_hear_itself_on_any_device() -> None:
    audience = phone(A)
    audience.join("desk", UserId("me"), 16, [A])
    assert begin(audience, burst(A, "me")) == []


def test_a_third_burst_waits_for_a_slot_and_gets_the_first_that_is_free() -> None:
    audience = phone(A, B, C)
    one, two, late = burst(A), burst(B), burst(C)
    begin(audience, one)
    begin(audience, two)
    assert begin(audience, late) == []
    assert end(audience, one) == [Change("phone", 0, one, late)]
    assert audience.heard("phone") == (late, two)


def test_the_selected_group_takes_the_slot_of_the_least_on_the_list() -> None:
    audience = phone(A, B, C)
    least, middle, selected = burst(C), burst(B), burst(A)
    begin(audience, least)
    begin(audience, middle)
    assert begin(audience, selected) == [Change("phone", 0, least, selected)]
    assert end(audience, selected) == [Change("phone", 0, selected, least)]


def test_an_emergency_in_the_last_group_takes_the_slot_of_normal_talk() -> None:
    audience = phone(A, B, C)
    begin(audience, burst(A))
    begin(audience, burst(B))
    emergency = burst(C, voice=Voice.EMERGENCY)
    assert begin(audience, emergency) == [Change("phone", 1, burst(B), emergency)]


def test_leader_and_officer_at_once_are_both_heard() -> None:
    audience = phone(A, B, C)
    officer, leader = burst(B, "officer", Voice.SOS), burst(C, "leader", Voice.EMERGENCY)
    begin(audience, burst(A))
    begin(audience, officer)
    begin(audience, leader)
    assert set(audience.heard("phone")) == {officer, leader}


def test_sos_is_never_displaced_however_many_there_are() -> None:
    audience = phone(A, B, C, slots=1)
    first = burst(A, "one", Voice.SOS)
    begin(audience, first)
    for group in (B, C):
        assert begin(audience, burst(group, "two", Voice.SOS, number=255)) == []
    assert audience.heard("phone") == (first,)


def test_a_burst_that_becomes_an_emergency_keeps_its_slot_or_gets_one() -> None:
    audience = phone(A, B, C)
    begin(audience, burst(A))
    begin(audience, burst(B))
    raised = burst(B, voice=Voice.EMERGENCY)
    assert begin(audience, raised) == [Change("phone", 1, burst(B), raised)]
    begin(audience, burst(C))
    waiting = burst(C, voice=Voice.EMERGENCY)
    assert begin(audience, waiting) == [Change("phone", 0, burst(A), waiting)]


def test_a_burst_of_which_something_else_is_known_is_no_later_for_it() -> None:
    audience = phone(A, slots=1)
    for on_air in (burst(A, "one", serial=1), burst(A, "two", serial=2), burst(A, "one", serial=1)):
        begin(audience, on_air)
    assert audience.heard("phone") == (burst(A, "one", serial=1),)


def test_a_burst_carried_on_another_way_is_told_anew_on_its_slot() -> None:
    audience = phone(A, B)
    one, moved = burst(A), burst(A)
    begin(audience, one)
    begin(audience, burst(B))
    audience.ended(A, one.burst)
    (change,) = begin(audience, moved)
    assert change.slot == 0
    assert change.before is one
    assert change.now is moved


def test_two_groups_may_have_bursts_of_one_number() -> None:
    audience = phone(A, B)
    begin(audience, burst(A, serial=7))
    begin(audience, burst(B, serial=7))
    assert end(audience, burst(A, serial=7)) == [Change("phone", 0, burst(A, serial=7), None)]
    assert audience.heard("phone") == (None, burst(B, serial=7))


def test_both_talkers_of_a_dual_floor_are_heard() -> None:
    audience = phone(A)
    begin(audience, burst(A, "one", serial=1))
    begin(audience, burst(A, "two", serial=2))
    assert audience.heard("phone") == (burst(A, "one", serial=1), burst(A, "two", serial=2))


def test_who_comes_late_hears_what_is_on_air() -> None:
    audience = phone()
    on_air = burst(A)
    begin(audience, on_air)
    audience.listen("phone", [A])
    assert audience.place("phone") == (Change("phone", 0, None, on_air),)


def test_who_listens_no_longer_hears_no_more() -> None:
    audience = phone(A)
    begin(audience, burst(A))
    audience.listen("phone", [B])
    assert audience.place("phone") == (Change("phone", 0, burst(A), None),)


def test_selecting_another_group_reorders_what_is_heard() -> None:
    audience = phone(A, B, slots=1)
    begin(audience, burst(A))
    begin(audience, burst(B))
    audience.listen("phone", [B, A])
    assert audience.place("phone") == (Change("phone", 0, burst(A), burst(B)),)


def test_one_who_leaves_gives_back_what_his_slots_carried() -> None:
    audience = phone(A)
    begin(audience, burst(A))
    assert audience.leave("phone") == (burst(A), None)
    assert audience.leave("phone") == ()
    assert audience.place("phone") == ()
    assert audience.listeners(A) == ()
    audience.listen("phone", [A])
    assert audience.listeners(A) == ()


def test_a_group_named_twice_has_its_better_place() -> None:
    audience = phone(A, B, A, slots=1)
    begin(audience, burst(B))
    begin(audience, burst(A))
    assert audience.heard("phone") == (burst(A),)


def test_slots_keep_what_stays() -> None:
    assert assign((1, 2, None), [3, 2, 1]) == (1, 2, 3)
    assert assign((1, 2), [3, 2, 1]) == (3, 2)
    assert assign((1, 2), []) == (None, None)
    assert assign((), [1]) == ()


GROUPS = [GroupId(f"g{number}") for number in range(5)]
USERS = st.sampled_from([UserId(f"user{number}") for number in range(4)])
KEYS = st.sampled_from([f"key{number}" for number in range(6)])
LISTS = st.lists(st.sampled_from(GROUPS), max_size=5, unique=True)


class AnyAudience(RuleBasedStateMachine):
    """Bursts and listeners come and go; some listeners are placed late, as a busy node does."""

    bursts = Bundle("bursts")

    def __init__(self) -> None:
        super().__init__()
        self.audience: Audience[str, OnAir] = Audience()
        self.listeners: dict[str, tuple[UserId, int, list[GroupId]]] = {}
        self.on_air: dict[tuple[GroupId, BurstId], tuple[int, OnAir]] = {}
        self.waiting: set[str] = set()
        self.number = 0

    @rule(key=KEYS, user=USERS, slots=st.integers(1, 4), groups=LISTS)
    def join(self, key: str, user: UserId, slots: int, groups: list[GroupId]) -> None:
        self.audience.join(key, user, slots, groups)
        self.listeners[key] = (user, slots, groups)
        self.waiting.add(key)

    @rule(key=KEYS, groups=LISTS)
    def listen(self, key: str, groups: list[GroupId]) -> None:
        self.audience.listen(key, groups)
        if key in self.listeners:
            user, slots, _ = self.listeners[key]
            self.listeners[key] = (user, slots, groups)
            self.waiting.add(key)

    @rule(key=KEYS)
    def leave(self, key: str) -> None:
        self.audience.leave(key)
        self.listeners.pop(key, None)

    @rule(
        target=bursts,
        group=st.sampled_from(GROUPS),
        talker=USERS,
        voice=st.sampled_from(Voice),
        priority=st.integers(0, 3),
    )
    def began(self, group: GroupId, talker: UserId, voice: Voice, priority: int) -> OnAir:
        self.number += 1
        on_air = OnAir(group, BurstId(self.number), talker, voice, priority)
        self.on_air[group, on_air.burst] = (self.number, on_air)
        self.audience.began(on_air)
        self.waiting |= set(self.audience.listeners(group))
        return on_air

    @rule(target=bursts, on_air=consumes(bursts), voice=st.sampled_from(Voice))
    def raised(self, on_air: OnAir, voice: Voice) -> OnAir:
        again = OnAir(on_air.group, on_air.burst, on_air.speaker, voice, on_air.number)
        self.on_air[on_air.group, on_air.burst] = (self.on_air[on_air.group, on_air.burst][0], again)
        self.audience.began(again)
        self.waiting |= set(self.audience.listeners(again.group))
        return again

    @rule(on_air=consumes(bursts))
    def ended(self, on_air: OnAir) -> None:
        del self.on_air[on_air.group, on_air.burst]
        self.audience.ended(on_air.group, on_air.burst)
        self.waiting |= set(self.audience.listeners(on_air.group))

    @rule(key=KEYS)
    def place_one(self, key: str) -> None:
        self._place(key)
        self.waiting.discard(key)

    @rule()
    def place_all(self) -> None:
        for key in sorted(self.waiting):
            self._place(key)
        self.waiting.clear()

    def _place(self, key: str) -> None:
        before = self.audience.heard(key)
        changes = self.audience.place(key)
        now = self.audience.heard(key)
        expected = [
            Change(key, slot, was, is_now)
            for slot, (was, is_now) in enumerate(zip(before, now, strict=True))
            if was is not is_now
        ]
        assert list(changes) == expected
        stays = {(b.group, b.burst) for b in before if b} & {(b.group, b.burst) for b in now if b}
        for was, is_now in zip(before, now, strict=True):
            if was and (was.group, was.burst) in stays:
                assert is_now is not None
                assert (is_now.group, is_now.burst) == (was.group, was.burst), "what stays keeps its slot"

    @invariant()
    def nobody_hears_what_he_must_not(self) -> None:
        for key in self.listeners.keys() - self.waiting:
            user, slots, groups = self.listeners[key]
            heard = [b for b in self.audience.heard(key) if b is not None]
            assert len(self.audience.heard(key)) == slots
            assert len({(b.group, b.burst) for b in heard}) == len(heard), "one burst on two slots"
            assert all(b.group in groups and b.speaker != user for b in heard)
            assert all(self.on_air[b.group, b.burst][1] == b for b in heard)

    @invariant()
    def the_most_important_are_heard(self) -> None:
        for key in self.listeners.keys() - self.waiting:
            user, slots, groups = self.listeners[key]
            might = [entry for entry in self.on_air.values() if entry[1].group in groups and entry[1].speaker != user]
            might.sort(key=lambda entry: importance(groups, *entry))
            assert {b for b in self.audience.heard(key) if b} == {b for _, b in might[:slots]}

    @invariant()
    def placing_one_who_is_not_concerned_changes_nothing(self) -> None:
        for key in self.listeners.keys() - self.waiting:
            assert self.audience.place(key) == ()


def importance(groups: list[GroupId], first: int, on_air: OnAir) -> tuple[int, ...]:
    """The order of the words of the table, said once more."""
    if on_air.voice is Voice.SOS:
        return (0, first)
    if on_air.voice is Voice.NORMAL:
        return (9, groups.index(on_air.group), -on_air.number, first)
    return (5 - on_air.voice, -on_air.number, first)


AnyAudience.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None, derandomize=True)
TestAnyAudience = AnyAudience.TestCase
