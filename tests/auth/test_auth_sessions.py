"""Signing in, staying signed in, being thrown out: on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text

from groups.vocabulary import Refusal, Role, UserId
from poc_server.auth import Auth, AuthRefused, SignedIn, service
from poc_server.auth.keys import load_or_make
from poc_server.ground.refused import Refused
from poc_server.store import SYSTEM, Actor, Connection, DirectoryChange
from poc_server.store import tables as t
from poc_server.store.change import changing
from poc_server.store.city import people, sessions
from poc_server.store.city.people import UserDraft
from poc_server.store.store import REMEMBER_ENDED_MS
from tests.fixtures.people import PASSWORD, QUICK, Town

pytestmark = pytest.mark.wire


async def code(awaitable: object) -> Refusal | None:
    try:
        await awaitable  # type: ignore[misc]
    except Refused as refused:
        return refused.code
    return None


def access_code(town: Town, signed: SignedIn) -> Refusal | None:
    try:
        town.auth.verify_access(signed.access_token)
    except AuthRefused as refused:
        return refused.code
    return None


async def test_name_and_password_give_tokens_whatever_way_they_are_typed(town: Town) -> None:
    user = await town.person(account="Wang.Jianguo", password=PASSWORD)
    for typed in ("wang.jianguo", " WANG.JIANGUO ", "ｗａｎｇ.jianguo"):
        signed = await town.auth.sign_in(typed, PASSWORD)
        claims = town.auth.verify_access(signed.access_token)
        assert (claims.user, claims.session, signed.user.id) == (user, signed.session, user)


@pytest.mark.parametrize("name", ["wang", "nobody", "' OR 1=1 --", "", "王" * 128])
async def test_wrong_name_and_wrong_password_are_the_same_word(town: Town, name: str) -> None:
    await town.person(account="wang", password=PASSWORD)
    await town.person(name="无密码", account="nopassword")
    assert await code(town.auth.sign_in(name, "wrong")) is Refusal.WRONG_CREDENTIALS
    assert await code(town.auth.sign_in("nopassword", "")) is Refusal.WRONG_CREDENTIALS
    assert await code(town.auth.sign_in("wang", "x" * 257)) is Refusal.WRONG_CREDENTIALS


async def test_a_hash_by_weaker_settings_is_renewed_and_never_brings_an_old_password_back(
    town: Town, tmp_path: Path
) -> None:
    user = await town.person(account="wang", password=PASSWORD)
    # Stronger ones, and a least length that this password no longer has.
    stronger = QUICK.model_copy(update={"argon2_passes": 2, "password_least": len(PASSWORD) + 1})
    auth = Auth(stronger, town.store, load_or_make(tmp_path / "keys"), town.clock)

    async def kept() -> str:
        async with town.store.reading() as connection:
            row = await people.user_row(connection, user)
        assert row is not None
        return str(row.password_hash)

    weak = await kept()
    await auth.sign_in("wang", PASSWORD)
    strong = await kept()
    assert auth.passwords.is_outdated(weak)
    assert not auth.passwords.is_outdated(strong)
    await auth.sign_in("wang", PASSWORD)
    assert await kept() == strong
    # Who signs in with the old password just while it is changed.
    async with town.store.writing() as connection:
        await people.renew_hash(connection, user, weak, "of the old password")
    assert await kept() == strong


async def test_a_password_that_is_changed_while_it_is_compared_begins_no_session(town: Town) -> None:
    user = await town.person(account="wang", password=PASSWORD)
    async with town.store.reading() as connection:
        compared_with = await people.user_row(connection, user)
    await town.auth.set_password(SYSTEM, user, PASSWORD[::-1])
    begins = partial(town.auth.start_session, user, "password", proved_by=compared_with)
    assert await code(begins()) is Refusal.WRONG_CREDENTIALS
    assert await code(town.auth.sign_in("wang", PASSWORD[::-1])) is None
    async with town.store.writing() as connection:
        await connection.execute(delete(t.user).where(t.user.c.id == user))  # as another node does, not heard of yet
    assert await code(begins()) is Refusal.UNKNOWN_USER


async def test_a_disabled_user_learns_it_only_with_the_right_password(town: Town) -> None:
    user = await town.person(account="wang", password=PASSWORD)
    async with town.store.change() as change:
        await people.set_flags(change, user, enabled=False)
    assert await code(town.auth.sign_in("wang", "wrong")) is Refusal.WRONG_CREDENTIALS
    assert await code(town.auth.sign_in("wang", PASSWORD)) is Refusal.DISABLED


async def test_guessing_is_slowed_down_per_account_even_when_it_comes_all_at_once(town: Town) -> None:
    await town.person(account="wang", password=PASSWORD)
    attempts = [code(town.auth.sign_in("wang", f"guess{n}", f"198.51.100.{n}")) for n in range(12)]
    codes = await asyncio.gather(*attempts)
    assert codes.count(Refusal.WRONG_CREDENTIALS) == 5
    assert codes.count(Refusal.SIGN_IN_LIMIT) == 7
    assert await code(town.auth.sign_in("wang", PASSWORD)) is Refusal.SIGN_IN_LIMIT
    town.clock.forward(1.1)
    assert await code(town.auth.sign_in("wang", PASSWORD)) is None


async def test_strangers_lock_nobody_out_where_he_has_signed_in_before(town: Town, tmp_path: Path) -> None:
    user = await town.person(account="wang", password=PASSWORD)
    home, elsewhere = "2001:db8:0:1::7", "203.0.113.9"
    await town.auth.sign_in("wang", PASSWORD, home)
    keys = load_or_make(tmp_path / "keys")
    one, two = nodes = [Auth(QUICK, town.store, keys, town.clock) for _ in range(2)]
    one.failures.tell, two.failures.tell = two.failures.learn, one.failures.learn
    mark = one.known.with_person("", user)
    for n in range(QUICK.per_account.free):
        assert await code(nodes[n % 2].sign_in("wang", "guess", f"198.51.100.{n}")) is Refusal.WRONG_CREDENTIALS
    for _ in range(QUICK.per_address.free):
        await code(one.enrol("guess", "", elsewhere))
    for node in nodes:
        assert await code(node.sign_in("wang", PASSWORD, "198.51.100.200")) is Refusal.SIGN_IN_LIMIT
        assert await code(node.sign_in("wang", PASSWORD, "2001:db8:0:1::8")) is None, "another host of his own network"
        assert await code(node.sign_in("wang", PASSWORD, elsewhere, mark)) is None
        assert await code(node.enrol("guess", "", elsewhere, mark)) is Refusal.ENROLMENT_SPENT
    assert await code(two.sign_in("wang", PASSWORD, "198.51.100.201")) is Refusal.SIGN_IN_LIMIT, "a guess may still be"
    # It is not the mark of whoever has one.
    other = one.known.with_person("", await town.person(name="李静", account="li", password=PASSWORD))
    assert await code(two.sign_in("wang", PASSWORD, "198.51.100.202", other)) is Refusal.SIGN_IN_LIMIT


@pytest.mark.parametrize("marked", [True, False], ids=["device", "address"])
async def test_guessing_where_somebody_has_signed_in_is_bounded_on_all_nodes(
    town: Town, tmp_path: Path, marked: bool
) -> None:
    user = await town.person(account="wang", password=PASSWORD)
    await town.auth.sign_in("wang", PASSWORD, "192.0.2.1")
    keys = load_or_make(tmp_path / "keys")
    one, two = nodes = [Auth(QUICK, town.store, keys, town.clock) for _ in range(2)]
    one.failures.tell, two.failures.tell = two.failures.learn, one.failures.learn
    mark = one.known.with_person("", user) if marked else ""
    # At an address he is counted with strangers first, and apart only once these would keep him out.
    pools = 1 if marked else 2
    free = QUICK.per_known_place.free + (pools - 1) * QUICK.per_account.free
    for n in range(free):
        assert await code(nodes[n % 2].sign_in("wang", "guess", "192.0.2.1", mark)) is Refusal.WRONG_CREDENTIALS, n
    for node in nodes:
        assert await code(node.sign_in("wang", PASSWORD, "192.0.2.1", mark)) is Refusal.SIGN_IN_LIMIT
    town.clock.forward(1)
    assert await code(two.sign_in("wang", PASSWORD, "192.0.2.1", mark)) is None
    assert await code(one.sign_in("wang", "guess", "192.0.2.1", mark)) is Refusal.WRONG_CREDENTIALS, "he begins anew"


async def test_an_attempt_that_found_no_turn_to_be_judged_was_no_guess(town: Town, tmp_path: Path) -> None:
    await town.person(account="wang", password=PASSWORD)
    crowded = QUICK.model_copy(update={"hashes_waiting": 0})
    auth = Auth(crowded, town.store, load_or_make(tmp_path / "keys"), town.clock)
    codes = [await code(auth.sign_in("wang", PASSWORD, "198.51.100.1")) for _ in range(60)]
    assert set(codes) == {Refusal.UNAVAILABLE}


async def test_who_was_made_at_another_node_a_moment_ago_signs_in_here(town: Town) -> None:
    draft = UserDraft(town.agency, town.unit, "王建国", frozenset({Role.OFFICER}))
    async with changing(town.store.database, SYSTEM, town.clock()) as change:  # this node has not been told
        user = await people.create_user(change, draft)
    assert town.store.directory.user(user) is None
    assert (await town.auth.start_session(user, "external")).user.id == user
    assert await code(town.auth.start_session(UserId("nobody"), "external")) is Refusal.UNKNOWN_USER


async def test_a_refresh_token_is_good_once_and_a_lost_answer_is_forgiven(town: Town) -> None:
    first = await town.auth.start_session(await town.person(), "demo")
    second = await town.auth.refresh(first.refresh_token)
    town.clock.forward(29)
    again = await town.auth.refresh(first.refresh_token)  # the answer was lost on a bad network
    assert access_code(town, again) is None
    third = await town.auth.refresh(again.refresh_token)
    assert (await town.auth.refresh(second.refresh_token)).session == third.session


async def test_a_token_used_again_later_was_stolen_and_ends_the_whole_family(town: Town) -> None:
    told: list[DirectoryChange] = []
    town.store.directory.subscribe(told.append)
    first = await town.auth.start_session(await town.person(), "demo")
    second = await town.auth.refresh(first.refresh_token)
    town.clock.forward(31)
    assert await code(town.auth.refresh(first.refresh_token, "203.0.113.7")) is Refusal.BAD_TOKEN
    assert await code(town.auth.refresh(second.refresh_token)) is Refusal.BAD_TOKEN
    assert access_code(town, second) is Refusal.BAD_TOKEN
    assert [each.sessions for each in told if each.sessions] == [{first.session}]
    # The audit tells the auditor of that agency from where the old token was shown.
    ended = select(t.audit).where(t.audit.c.action == "session.end")
    async with town.store.reading() as connection:
        (row,) = (await connection.execute(ended)).all()
    assert (row.agency_id, row.target_id, row.address) == (town.agency, first.session, "203.0.113.7")
    assert json.loads(row.detail)["reason"] == "refresh_reused"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a loaded machine SQL takes its time, and does not hang for that."""
    monkeypatch.setattr(service, "AT_ONCE_S", 60)


@asynccontextmanager
async def hanging(town: Town) -> AsyncIterator[Connection]:
    """Nobody else reads or writes sessions: PostgreSQL waits for a lock, SQLite for the one that writes."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(service, "AT_ONCE_S", 0.1)
        async with town.store.writing() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text("LOCK TABLE session"))
            yield connection


async def test_while_sql_hangs_a_phone_is_renewed_by_memory_whether_or_not_sql_counted_it(town: Town) -> None:
    first, old = [await town.auth.start_session(await town.person(), "demo") for _ in range(2)]
    async with hanging(town):
        second = await town.auth.refresh(first.refresh_token)
        third = await town.auth.refresh(second.refresh_token)
        old = await town.auth.refresh(old.refresh_token)
    assert access_code(town, third) is None
    fourth = await town.auth.refresh(third.refresh_token)
    async with hanging(town) as connection:
        fifth = await town.auth.refresh(fourth.refresh_token)
        # It was counted, and nobody heard of it.
        counted = text("UPDATE session SET rotation = rotation + 1 WHERE id = :id")
        await connection.execute(counted, {"id": first.session})
    town.clock.forward(31)
    assert (await town.auth.refresh(fifth.refresh_token)).session == first.session
    assert await code(town.auth.refresh(third.refresh_token)) is Refusal.BAD_TOKEN
    # What is older than memory of ended sessions is asked of SQL, however long that takes, also when memory renewed it.
    town.clock.forward(REMEMBER_ENDED_MS / 1000)
    async with hanging(town):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await town.auth.refresh(old.refresh_token)
    assert (await town.auth.refresh(old.refresh_token)).session == old.session


async def test_an_end_that_is_committed_just_as_it_is_given_up_stands_once_in_the_audit(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await town.auth.start_session(await town.person(), "demo")
    refresh, mine = town.store.refresh, asyncio.current_task()

    async def hangs() -> None:
        if asyncio.current_task() is mine:  # and not a look at what other nodes changed
            await asyncio.Event().wait()
        await refresh()

    with monkeypatch.context() as patched:
        patched.setattr(service, "AT_ONCE_S", 0.5)
        patched.setattr(town.store, "refresh", hangs)
        await town.auth.sign_out(town.auth.verify_access(signed.access_token))
    assert access_code(town, signed) is Refusal.BAD_TOKEN
    await town.store.journal.drain()
    async with town.store.reading() as connection:
        ended = select(t.audit.c.target_id).where(t.audit.c.action == "session.end")
        assert list((await connection.execute(ended)).scalars()) == [signed.session]


async def test_two_refreshes_at_the_same_moment_do_not_look_like_theft(town: Town) -> None:
    first = await town.auth.start_session(await town.person(), "demo")
    both = await asyncio.gather(*(town.auth.refresh(first.refresh_token) for _ in range(4)))
    newest = await town.auth.refresh(both[0].refresh_token)
    assert access_code(town, newest) is None


async def test_a_database_that_came_back_from_a_backup_takes_newer_tokens(town: Town) -> None:
    signed = await town.auth.start_session(await town.person(), "demo")
    for _ in range(3):
        signed = await town.auth.refresh(signed.refresh_token)
    async with town.store.writing() as connection:
        await connection.execute(text("UPDATE session SET rotation = 1"))
    assert access_code(town, await town.auth.refresh(signed.refresh_token)) is None


async def test_tokens_end_when_their_time_is_over(town: Town) -> None:
    signed = await town.auth.start_session(await town.person(), "demo")
    town.clock.forward(600)
    assert access_code(town, signed) is Refusal.TOKEN_EXPIRED
    town.clock.forward(31 * 86_400)
    assert await code(town.auth.refresh(signed.refresh_token)) is Refusal.TOKEN_EXPIRED


async def test_an_enrolment_code_is_spent_once_and_makes_a_device(town: Town) -> None:
    user = await town.person()
    secret, _ = await town.auth.invite(SYSTEM, user, "王的手机")
    results = await asyncio.gather(*(town.auth.enrol(secret) for _ in range(3)), return_exceptions=True)
    good = [each for each in results if isinstance(each, SignedIn)]
    assert len(good) == 1
    claims = town.auth.verify_access(good[0].access_token)
    assert claims.device is not None
    device = town.store.directory.device(claims.device)
    assert device is not None
    assert (device.user, device.name) == (user, "王的手机")
    assert await code(town.auth.enrol("x" * 65)) is Refusal.ENROLMENT_SPENT
    late, _ = await town.auth.invite(SYSTEM, user)
    town.clock.forward(72 * 3_600)
    assert await code(town.auth.enrol(late)) is Refusal.ENROLMENT_SPENT


async def test_with_a_new_password_the_codes_that_wait_for_a_person_are_good_no_more(town: Town) -> None:
    user, other = await town.person(), await town.person()
    (before, _), (others, _) = [await town.auth.invite(SYSTEM, each) for each in (user, other)]
    await town.auth.set_password(SYSTEM, user, PASSWORD)
    assert await code(town.auth.enrol(before)) is Refusal.ENROLMENT_SPENT
    after, _ = await town.auth.invite(SYSTEM, user)
    assert [(await town.auth.enrol(each)).user.id for each in (others, after)] == [other, user]


@pytest.mark.parametrize(
    ("way", "about", "refusal"),
    [
        ("session", "session", Refusal.BAD_TOKEN),
        ("user", "user", Refusal.DISABLED),
        ("device", "device", Refusal.BAD_TOKEN),
        ("deleted", "user", Refusal.BAD_TOKEN),
        ("password", "session", Refusal.BAD_TOKEN),
    ],
)
async def test_whoever_is_thrown_out_is_refused_at_once_and_told(
    town: Town, way: str, about: str, refusal: Refusal
) -> None:
    user = await town.person()
    secret, _ = await town.auth.invite(SYSTEM, user)
    signed = await town.auth.enrol(secret)
    claims = town.auth.verify_access(signed.access_token)
    told: list[DirectoryChange] = []
    town.store.directory.subscribe(told.append)
    if way == "password":
        await town.auth.set_password(SYSTEM, user, "a new password")
    elif way == "session":
        await town.auth.sign_out(claims)
    else:
        async with town.store.change(Actor(UserId("us-admin"))) as change:
            if way == "user":
                await people.set_flags(change, user, enabled=False)
            elif way == "deleted":
                await people.delete_user(change, user)
            else:
                assert claims.device is not None
                await sessions.set_device(change, claims.device, enabled=False)
    # What ends live connections is told whom it is about.
    (change,) = told
    assert getattr(claims, about) in getattr(change, f"{about}s")
    assert access_code(town, signed) is refusal
    assert await code(town.auth.refresh(signed.refresh_token)) is refusal


async def test_a_change_of_somebody_else_throws_nobody_out(town: Town) -> None:
    user, other = await town.person(), await town.person()
    signed = await town.auth.start_session(user, "demo")
    told: list[DirectoryChange] = []
    town.store.directory.subscribe(told.append)
    async with town.store.change() as change:
        await people.set_flags(change, other, talk_banned=True)
    assert [(each.users, each.sessions) for each in told] == [({other}, frozenset())]
    assert access_code(town, signed) is None


async def test_a_clock_that_is_set_back_signs_nobody_out(town: Town) -> None:
    signed = await town.auth.start_session(await town.person(), "demo")
    town.clock.forward(-3_600)
    assert access_code(town, signed) is Refusal.BAD_TOKEN  # from the future: the phone asks for another
    again = await town.auth.refresh(signed.refresh_token)
    assert access_code(town, again) is None
    town.clock.forward(3_600)
    assert (await town.auth.refresh(again.refresh_token)).session == signed.session
