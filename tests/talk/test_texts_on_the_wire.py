"""Text and status messages over real sockets: kept once, told to the right people, counted for who was away."""

from __future__ import annotations

import pytest

from groups.vocabulary import Refusal, StatusWord, TextKind
from loadtest.phone import PhoneFailed
from signaling.limits import MAX_LAST_CHARS, MAX_TEXT_CHARS
from signaling.messages import (
    Call,
    CallEnd,
    CallEnded,
    CallStart,
    Texted,
    TextList,
    TextRead,
    TextSend,
    TextUnread,
    ThreadList,
)
from tests.emergency.cast import Cast

pytestmark = pytest.mark.wire


async def refused(phone, message) -> Refusal | None:
    with pytest.raises(PhoneFailed) as found:
        await phone.request(message)
    return found.value.code


async def test_a_message_reaches_its_group_is_kept_once_and_waits_for_who_is_away(cast: Cast) -> None:
    one, two, outside = await cast.phones("BJ-001", "BJ-002", "XS-001")
    group = cast.group(one, "滨江巡查组")
    said = TextSend(id="t1", message="m1", group=group, text="  谁在中山路？ ")
    kept, _ = await one.request(said)
    again, _ = await one.request(said.model_copy(update={"id": "t2"}))
    assert again.message == kept.message
    assert kept.message.text == "谁在中山路？"
    assert (await two.told(Texted)).message == kept.message
    status = TextSend(id="t3", message="m2", group=group, kind=TextKind.STATUS, status=StatusWord.ON_SCENE)
    await two.request(status)
    heard = (await one.told(Texted)).message
    assert (heard.status, heard.number) == (StatusWord.ON_SCENE, kept.message.number + 1)
    assert not [m for m in [*outside.inbox, *two.inbox] if isinstance(m, Texted)]

    late = await cast.phone("BJ-003")
    (waits,) = (await late.told(TextUnread, all=True)).threads
    assert (waits.group, waits.unread, waits.last) == (group, 2, heard)
    page, _ = await late.request(TextList(id="t4", group=group, limit=1))
    assert ([m.number for m in page.messages], page.unread, page.more) == ([heard.number], 2, True)
    await late.request(TextRead(id="t5", group=group, number=heard.number))
    older, _ = await late.request(TextList(id="t6", group=group, before=heard.number))
    assert ([m.text for m in older.messages], older.unread, older.more) == (["谁在中山路？"], 0, False)
    # What he has read is listed on another phone of his, too, and nothing waits there.
    other = await cast.street.connect(late.identity, device="another")
    listed, _ = await other.request(ThreadList(id="t7"))
    assert [(each.group, each.unread, each.last) for each in listed.threads] == [(group, 0, heard)]
    assert not [m for m in other.inbox if isinstance(m, TextUnread)]
    foreign, _ = await outside.request(ThreadList(id="t8"))
    assert group not in [each.group for each in foreign.threads]


async def test_what_was_written_in_a_temporary_group_is_read_when_it_is_over(cast: Cast) -> None:
    dispatcher, one, two, outside = await cast.phones("PQ-001", "BJ-001", "BJ-002", "XS-001")
    asked = CallStart(id="c1", kind="group", users=[one.user, two.user], name="路口")
    call, _ = await dispatcher.request(asked)
    await two.told(Call, call=call.call)
    kept, _ = await one.request(TextSend(id="t1", message="p1", group=call.group, text="东口已封"))
    assert (await two.told(Texted)).message == kept.message
    two.close()
    await dispatcher.request(CallEnd(id="c2", call=call.call))
    await one.told(CallEnded, call=call.call)
    for reader in (one, dispatcher):
        page, _ = await reader.request(TextList(id="t2", group=call.group))
        assert page.messages == [kept.message]
    again = await cast.phone("BJ-002")
    waits = (await again.told(TextUnread, all=True)).threads
    assert [(each.group_name, each.unread) for each in waits if each.group == call.group] == [("路口", 1)]
    await again.request(TextRead(id="t3", group=call.group, number=kept.message.number))
    listed, _ = await again.request(ThreadList(id="t6"))
    assert ("路口", 0) in [(each.group_name, each.unread) for each in listed.threads if each.group == call.group]
    assert await refused(outside, TextList(id="t4", group=call.group)) is Refusal.NOT_A_MEMBER
    assert await refused(one, TextSend(id="t5", message="p2", group=call.group, text="x")) is Refusal.UNKNOWN_GROUP


async def test_one_who_is_away_is_asked_to_call_back(cast: Cast) -> None:
    one = await cast.phone("DH-001")
    to = cast.id("DH-002")
    await one.request(TextSend(id="t1", message="c1", user=to, kind=TextKind.CALLBACK))
    away = await cast.phone("DH-002")
    (waits,) = (await away.told(TextUnread, all=True)).threads
    assert (waits.person and waits.person.id, waits.unread) == (one.user, 1)
    assert waits.last is not None
    assert waits.last.kind is TextKind.CALLBACK


async def test_what_may_not_be_written_is_refused_with_its_reason(cast: Cast) -> None:
    one, dispatcher, supervisor = await cast.phones("BJ-001", "PQ-001", "JD-001")
    mine = cast.group(one, "滨江巡查组")
    others = cast.group(dispatcher, "西山巡查组")
    known = cast.city.get("/api/v1/demo/people")
    administrator = next(p["id"] for p in known if p["badge"] == "XT-001")
    for message, code in (
        ({"group": mine, "user": one.user, "text": "x"}, Refusal.BAD_MESSAGE),
        ({"text": "x"}, Refusal.BAD_MESSAGE),
        ({"group": mine, "text": "   "}, Refusal.BAD_MESSAGE),
        ({"group": mine, "kind": "status"}, Refusal.BAD_MESSAGE),
        ({"group": mine, "kind": "callback", "status": "done"}, Refusal.BAD_MESSAGE),
        ({"group": others, "text": "x"}, Refusal.NOT_A_MEMBER),
        ({"group": "gr-nowhere", "text": "x"}, Refusal.UNKNOWN_GROUP),
        ({"user": "us-nobody", "text": "x"}, Refusal.UNKNOWN_USER),
        ({"user": one.user, "text": "x"}, Refusal.NOT_ALLOWED),
    ):
        assert await refused(one, TextSend(id="t", message="b1", **message)) is code, message
    assert await refused(supervisor, TextSend(id="t", message="b2", user=one.user, text="x")) is Refusal.NOT_ALLOWED
    assert await refused(one, TextList(id="t", group=others)) is Refusal.NOT_A_MEMBER
    one.link.send(TextSend.model_construct(id="t9", message="b3", user=administrator, text="x" * (MAX_TEXT_CHARS + 1)))
    longest, _ = await one.request(TextSend(id="t8", message="b4", group=mine, text="长" * MAX_TEXT_CHARS))
    assert len(longest.message.text) == MAX_TEXT_CHARS
    listed, _ = await one.request(ThreadList(id="t7"))
    assert listed.threads[0].last == longest.message.model_copy(update={"text": "长" * MAX_LAST_CHARS})
    for number in range(61):
        one.link.send(TextSend(id=f"f{number}", message=f"f{number}", group=mine, text="x"))
    assert await refused(one, TextSend(id="t", message="f99", group=mine, text="x")) is Refusal.TOO_FAST
