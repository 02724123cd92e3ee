"""What is left of a call that is over: nothing that follows it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from groups.calls import inputs as into
from groups.calls.state import CallKind
from groups.model import User
from groups.vocabulary import AgencyId, Refusal, Role, UnitId, UserId
from poc_server.fabric.local import LocalFabric
from poc_server.store.directory import Directory
from poc_server.store.journal import Record
from poc_server.talk.affiliation import Affiliation
from poc_server.talk.audit import Audit
from poc_server.talk.calls.call_city import CallCity
from poc_server.talk.calls.calls import Calls
from poc_server.talk.conditions import Conditions
from poc_server.talk.ears import Ears
from poc_server.talk.patch import Joined
from poc_server.talk.phone import Phone
from poc_server.talk.phones import Phones
from poc_server.talk.presence import Presence
from poc_server.talk.roster import Roster
from poc_server.talk.talkgroups import Talkgroups

OFFICER = User(UserId("us-1"), AgencyId("ag"), UnitId("un"), "员", frozenset({Role.OFFICER}))


async def test_a_call_to_nobody_is_refused_and_not_followed_any_more() -> None:
    fabric, roster, phones, joined = LocalFabric(), Roster(Directory()), Phones(), Joined()
    talkgroups = Talkgroups(roster, joined, lambda _: None)
    affiliation = Affiliation(roster, talkgroups, joined, Ears(), Presence(roster, talkgroups, joined))
    kept: list[Record] = []
    calls = Calls(
        CallCity(fabric, roster, phones, talkgroups, affiliation),
        Conditions(roster, phones, talkgroups, joined, fabric.now),
        kept.append,
        Audit(kept.append, lambda: 0),
        "node",
    )
    told: list[tuple[Refusal, str]] = []
    phone = phones["us-1/"] = Phone("us-1/", OFFICER, "session", 4)
    phone.connection = cast("Any", SimpleNamespace(refuse=lambda *said: told.append(said)))
    alone = into.Start(CallKind.PREARRANGED, phone.user.id, phone.key, (phone.user.id,), frozenset(), request="r")
    live = calls.start(phone, alone)
    await live._runner.settled()
    assert len(calls) == 0
    assert told == [(Refusal.NOBODY_CALLED, "r")]
    assert [type(each).__name__ for each in kept] == ["CallStarted", "CallEnded"]
    assert not [key for key, entry in fabric._entries.items() if entry.subscribers]
