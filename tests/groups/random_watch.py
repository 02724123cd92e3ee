"""What must hold in the random city after every step, looked at where something changed.

States of machines are frozen: one that was judged and is the same object at the same time is right still. The
audience is not, so what every phone hears is compared after every step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from groups.calls import machine as calls
from groups.calls.state import CallKind, CallState, Phase
from groups.floor import machine as floors
from groups.floor.state import FloorState
from groups.vocabulary import CallId, GroupId, Tier
from tests.groups.floor_stage import check_on_air
from tests.groups.random_people import SILENT

if TYPE_CHECKING:
    from tests.groups.random_people import Phone
    from tests.groups.random_world import World


class Watch:
    """Judges a world.

    Attributes:
        most_heard: the most bursts one phone ever heard at once.
        most_talking: the most talkers one group ever had at once.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.most_heard = self.most_talking = 0
        self._floors: dict[GroupId, FloorState] = {}
        self._calls: dict[CallId, CallState] = {}
        self._at = 0

    def look(self) -> None:
        world = self.world
        if world.now != self._at:
            self._floors, self._calls, self._at = {}, {}, world.now
        for group, state in world.floors.items():
            if self._floors.get(group) is not state:
                self._floor(group, state)
                self._floors[group] = state
        for phone in world.phones:
            assert phone.slots == (world.audience.heard(phone.key) if phone.here else SILENT)
            if phone.slots != SILENT:
                self._ears(phone)
        for call, call_state in world.calls.items():
            if self._calls.get(call) is not call_state:
                self._call(call_state)
                self._calls[call] = call_state

    def _floor(self, group: GroupId, state: FloorState) -> None:
        assert {burst.burst for burst in state.bursts} == self.world.on_air[group].keys()
        due = floors.deadline(state)
        assert due is None or due > self.world.now
        talkers = [burst.user for burst in state.bursts]
        self.most_talking = max(self.most_talking, len(talkers))
        assert len(set(talkers)) == len(talkers)
        check_on_air(state)
        waiting = [entry.user for entry in state.queue]
        assert len(set(waiting)) == len(waiting), "a place in the queue for each"
        assert not set(waiting) & set(talkers), "nobody waits for what he has"

    def _ears(self, phone: Phone) -> None:
        world = self.world
        heard = [on_air for on_air in phone.slots if on_air is not None]
        assert len({(each.group, each.burst) for each in heard}) == len(heard), "no burst on two slots"
        self.most_heard = max(self.most_heard, len(heard))
        for each in heard:
            assert world.on_air[each.group].get(each.burst) is each, "nobody hears what is over"
            assert each.group in phone.groups()
            monitored = {world.patched.get(group, group) for group in phone.monitors} | set(phone.monitors)
            allowed = phone.user in world.members(each.group) or each.group in monitored
            assert allowed, "nobody hears a group he may not"
            assert each.group not in world.patched, "where groups are joined, nobody is on air in one of them alone"
            private = each.group in world.calls and world.calls[CallId(each.group)].kind is CallKind.PRIVATE
            assert not private or phone.user in world.members(each.group)
            assert each.speaker != phone.user

    def _call(self, call: CallState) -> None:
        assert call.phase is not Phase.ENDED
        assert call.kind is not CallKind.FIRST_TO_ANSWER or len(call.present()) <= 2, "one answers, and no more"
        on_air = self.world.on_air[GroupId(call.id)].keys()
        led = call.id not in self.world.unled
        assert not led or {each.burst for each in call.on_air} == on_air, "what is on air keeps a call, nothing else"
        due = calls.deadline(call)
        assert due is None or due > self.world.now
        assert due is not None or call.tier is not Tier.NORMAL, "a call that nothing would ever end"
