"""Lists of the wire that have a limit: as long as it they are taken, one longer they are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from groups.vocabulary import AlertState, GroupKind, HandoverState, MonitorScope, Refusal, TextKind
from signaling import limits
from signaling.messages import (
    AlertInfo,
    Call,
    Calls,
    FloorSnapshot,
    GroupSnapshot,
    HandoverInfo,
    Monitoring,
    PatchedGroup,
    Person,
    TextInfo,
    Texts,
    TextUnread,
    Thread,
    Threads,
)
from signaling.messages.unions import Refused, decode_client, encode

ASKED: tuple[tuple[str, str, dict[str, Any], int], ...] = (
    ("monitor", "groups", {"scope": "listed"}, limits.MAX_MONITORED),
    ("patch_start", "groups", {}, limits.MAX_PATCHED),
    ("listen", "groups", {}, limits.MAX_GROUPS_LISTENED),
    ("call_start", "users", {"kind": "group"}, limits.MAX_CALLED),
    ("call_start", "groups", {"kind": "group"}, limits.MAX_CALLED),
    ("call_add", "users", {"call": "ca-1"}, limits.MAX_CALLED),
)
SOMEBODY = Person(id="us-1", name="赵静")


@pytest.mark.parametrize(("kind", "field", "more", "most"), ASKED, ids=[f"{k}.{f}" for k, f, _, _ in ASKED])
def test_what_is_asked_of_the_server(kind: str, field: str, more: dict[str, Any], most: int) -> None:
    def asked(count: int) -> Any:
        return decode_client(json.dumps({"type": kind, "id": "1", **more, field: [f"x{n}" for n in range(count)]}))

    assert len(getattr(asked(most), field)) == most
    with pytest.raises(Refused) as refused:
        asked(most + 1)
    assert (refused.value.code, refused.value.request) == (Refusal.BAD_MESSAGE, "1")


def test_fewer_than_two_groups_are_no_patch() -> None:
    with pytest.raises(Refused):
        decode_client('{"type": "patch_start", "id": "1", "groups": ["x"]}')


def monitoring(count: int) -> BaseModel:
    floor = FloorSnapshot(state="idle")
    group = GroupSnapshot(
        id="gr", name="东城", kind=GroupKind.CHAT, floor=floor, yours="none", members=1, online=0, listening=0
    )
    return Monitoring(scope=MonitorScope.ALL, hidden=False, groups=[group] * count)


def handover(alerts: int = 0, monitored: int = 0, listens: int = 0) -> BaseModel:
    alert = AlertInfo(id="al", by=SOMEBODY, state=AlertState.CLAIMED, pressed_ms=1, raised_ms=1)
    group = PatchedGroup(id="gr", name="东城")
    return HandoverInfo(
        id="ho",
        by=SOMEBODY,
        to=SOMEBODY,
        state=HandoverState.OFFERED,
        note="",
        alerts=[alert] * alerts,
        scope=MonitorScope.LISTED,
        monitored=[group] * monitored,
        listens=[group] * listens,
        patches=[],
        offered_ms=1,
    )


def calls(count: int) -> BaseModel:
    call = Call(call="ca", group="ca", kind="private", name="", by=SOMEBODY, phase="running", parties=[])
    return Calls(id="1", calls=[call] * count)


@pytest.mark.parametrize(
    ("made", "most"),
    [
        (monitoring, limits.MAX_MONITORED),
        (lambda count: handover(alerts=count), limits.MAX_HANDED_OVER),
        (lambda count: handover(monitored=count), limits.MAX_MONITORED),
        (lambda count: handover(listens=count), limits.MAX_GROUPS_LISTENED + 1),
        (lambda count: TextUnread(threads=[Thread(unread=1)] * count), limits.MAX_THREADS_TOLD),
        (lambda count: Threads(id="1", threads=[Thread(unread=0)] * count, more=False), limits.MAX_THREADS_TOLD),
        (calls, limits.MAX_CALLS_LISTED),
    ],
    ids=["monitoring", "handover.alerts", "handover.monitored", "handover.listens", "text_unread", "threads", "calls"],
)
def test_what_the_server_says(made: Any, most: int) -> None:
    made(most)
    with pytest.raises(ValidationError):
        made(most + 1)


def test_the_longest_lists_of_messages_are_no_longer_than_the_server_says_at_most() -> None:
    by = Person(id="u" * 64, name="长" * 128, badge="长" * 128)
    message = TextInfo(id="t" * 64, to=by, by=by, kind=TextKind.TEXT, text="长" * 2_000, number=2**53, at_ms=2**53)
    page = Texts(id="r" * 64, messages=[message] * limits.MAX_TEXTS_LISTED, unread=1, more=True)
    last = message.model_copy(update={"text": "长" * limits.MAX_LAST_CHARS})
    thread = Thread(group_name="长" * 128, person=by, unread=1, last=last)
    threads = Threads(id="r" * 64, threads=[thread] * limits.MAX_THREADS_TOLD, more=True)
    for told in (page, threads):
        assert limits.MAX_MESSAGE_BYTES < len(encode(told)) <= limits.MAX_TOLD_BYTES
