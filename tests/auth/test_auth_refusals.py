"""What the audit keeps of refused sign-ins: each kind, without what was typed, at a rate no stranger drives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from groups.vocabulary import AgencyId, Role, UserId
from poc_server.auth import Auth
from poc_server.auth.keys import load_or_make
from poc_server.ground.refused import Refused
from poc_server.store import SYSTEM
from poc_server.store import tables as t
from poc_server.store.city import people, sessions
from tests.fixtures.people import PASSWORD, QUICK, Town, found_town

pytestmark = pytest.mark.wire
HERE = "192.0.2.9"


async def refused(attempt: Any) -> str:
    with pytest.raises(Refused) as problem:
        await attempt
    return problem.value.code.value


async def kept(town: Town, agency: AgencyId | None = None) -> list[tuple[str, str, str, str, int]]:
    """Action, target, way, code and how many were left out, of an agency's refusals in order."""
    await town.store.journal.drain()
    query = select(t.audit).where(t.audit.c.action.endswith(".refused"), t.audit.c.agency_id == (agency or town.agency))
    async with town.store.reading() as connection:
        rows = (await connection.execute(query.order_by(t.audit.c.seq))).all()
    found = []
    for row in rows:
        said = json.loads(row.detail)
        found.append((row.action, row.target_id, said["way"], said["code"], said.get("left_out", 0)))
        assert row.address == HERE
        assert not any(secret in row.detail + row.target_id for secret in ("guess", "nobody", PASSWORD))
    return found


async def test_each_refused_way_to_sign_in_is_kept_by_who_was_meant(town: Town) -> None:
    auth = town.auth
    user = await town.person(account="wang", password=PASSWORD)
    signed = await auth.sign_in("wang", PASSWORD, HERE)
    claims = auth.verify_access(signed.access_token)
    code, _ = await auth.invite(SYSTEM, user)
    phone = await auth.enrol(code, "手机", HERE)
    assert await refused(auth.sign_in("wang", "guess", HERE)) == "wrong_credentials"
    assert await refused(auth.sign_in("nobody", "guess", HERE)) == "wrong_credentials"
    assert await refused(auth.change_password(claims, "guess", "another guess", HERE)) == "wrong_credentials"
    await town.store.journal.drain()
    async with town.store.reading() as connection:
        done = t.audit.c.action.in_(("enrolment.spend", "device.create"))
        acts = (await connection.execute(select(t.audit.c.actor_id, t.audit.c.address).where(done))).all()
    assert [tuple(row) for row in acts] == [(user, HERE)] * 2, "done by whom the code was made for"
    assert await refused(auth.enrol(code, "", HERE)) == "enrolment_spent"
    assert await refused(auth.enrol("guess", "", HERE)) == "enrolment_spent"
    assert await refused(auth.sign_in_external("guess", HERE)) == "bad_token"
    async with town.store.change() as change:
        await sessions.set_device(change, auth.verify_access(phone.access_token).device, enabled=False)  # type: ignore[arg-type]
        await people.set_flags(change, user, enabled=False)
    assert await refused(auth.sign_in("wang", PASSWORD, HERE)) == "disabled"
    refreshed = [await refused(auth.refresh(signed.refresh_token, HERE)) for _ in range(3)]
    assert refreshed == ["disabled"] * 3
    assert await kept(town) == [
        ("sign_in.refused", user, "password", "wrong_credentials", 0),
        ("sign_in.refused", HERE, "password", "wrong_credentials", 0),
        ("user.password.refused", user, "password", "wrong_credentials", 0),
        ("sign_in.refused", user, "enrolment", "enrolment_spent", 0),
        ("sign_in.refused", HERE, "enrolment", "enrolment_spent", 0),
        ("sign_in.refused", HERE, "external", "bad_token", 0),
        ("sign_in.refused", user, "password", "disabled", 0),
        ("sign_in.refused", user, "refresh", "disabled", 0),
    ]


async def test_who_knocks_on_without_being_judged_is_kept_once_in_a_while(town: Town) -> None:
    user = await town.person(account="wang", password=PASSWORD)
    for _ in range(5):
        await refused(town.auth.sign_in("wang", "guess", HERE))
    for _ in range(9):
        assert await refused(town.auth.sign_in("wang", "guess", HERE)) == "sign_in_limit"
    town.clock.forward(QUICK.audited_every_s)
    await refused(town.auth.sign_in("wang", "guess", HERE))
    await refused(town.auth.sign_in("wang", "guess", HERE))
    wrong, fast = ("sign_in.refused", user, "password", "wrong_credentials"), "sign_in_limit"
    assert await kept(town) == [
        *[(*wrong, 0)] * 5,
        ("sign_in.refused", user, "password", fast, 0),
        (*wrong, 0),
        ("sign_in.refused", user, "password", fast, 8),
    ]


async def test_a_flood_of_strangers_is_counted_and_hides_no_attack_on_a_person(town: Town, tmp_path: Path) -> None:
    few = QUICK.model_copy(update={"audited_at_once": 2})
    auth = Auth(few, town.store, load_or_make(tmp_path / "keys"), town.clock)
    user = await town.person(Role.SYSTEM_ADMIN, account="wang", password=PASSWORD)
    for _ in range(5):
        await refused(auth.enrol("guess", "", HERE))
    await refused(auth.sign_in("wang", "guess", HERE))
    town.clock.forward(few.audited_every_s)
    await refused(auth.enrol("guess", "", HERE))
    found = await kept(town)
    assert [(target, left_out) for _, target, _, _, left_out in found] == [(HERE, 0), (HERE, 0), (user, 0), (HERE, 3)]


async def test_what_means_nobody_here_stands_in_the_audit_of_every_agency(town: Town) -> None:
    other = await found_town(town.store, town.auth, town.clock, "邻市")
    theirs = await other.person(account="li", password=PASSWORD)
    await refused(town.auth.sign_in("nobody", "guess", HERE))
    await refused(town.auth.sign_in("li", "guess", HERE))
    targets = [[target for _, target, *_ in await kept(town, agency)] for agency in (town.agency, other.agency)]
    assert targets == [[HERE], [HERE, UserId(theirs)]]
