"""What a shift that is handed over names: as many open alerts as the limit, and the first of one more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from groups.vocabulary import AgencyId, AlertState, HandoverState, MonitorScope, UserId
from poc_server.dispatch.handovers import Handovers
from poc_server.store.handovers import KeptHandover
from poc_server.talk.patch import Joined
from signaling.limits import MAX_HANDED_OVER
from signaling.messages import AlertInfo, Person

BY, TO = UserId("us-1"), UserId("us-2")
CONTENT = {
    "note": "",
    "scope": MonitorScope.NONE.value,
    "hidden": False,
    "monitored": [],
    "listens": [],
    "patches": [],
}


def claimed(count: int) -> list[Any]:
    """Alerts as the emergency desk has them, in the order they were raised."""
    somebody = Person(id="us-3", name="赵静")
    infos = [
        AlertInfo(id=f"al-{n}", by=somebody, state=AlertState.CLAIMED, pressed_ms=n, raised_ms=n) for n in range(count)
    ]
    return [SimpleNamespace(info=lambda _, each=each: each) for each in infos]


def named(count: int) -> list[str]:
    """The alerts that an offer of one who claimed so many names."""
    of = {BY: claimed(count)}
    emergency = SimpleNamespace(alerts=SimpleNamespace(claimed_by=of.__getitem__))
    roster = SimpleNamespace(user=lambda _: None, group=lambda _: None)
    field = SimpleNamespace(emergency=emergency, joined=Joined(), roster=roster)
    handovers = Handovers(cast("Any", None), cast("Any", field), cast("Any", None))
    kept = KeptHandover("ho-1", AgencyId("ag"), BY, TO, 1, CONTENT)
    info = handovers.info(kept)
    assert info.state is HandoverState.OFFERED
    return [alert.id for alert in info.alerts]


def test_as_many_alerts_as_the_limit_are_named_and_of_one_more_those_raised_first() -> None:
    for count in (MAX_HANDED_OVER, MAX_HANDED_OVER + 1):
        assert named(count) == [f"al-{n}" for n in range(MAX_HANDED_OVER)]
