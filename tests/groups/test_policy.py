"""Every role × act × target against a matrix written by hand, and what must hold beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from groups.model import Agency, Group, Unit, User
from groups.policy import TABLE, Act, Capability, Switches, audited, may
from groups.reach import MAX_UNIT_DEPTH, REACHES, Facts, Reach, Target
from groups.rights import ADMINISTRATORS, RIGHTS, Right, has, may_hold_together, rights_of
from groups.vocabulary import Refusal, Role
from tests.groups.city import AGENCIES, CITY, City, build

# Where each role may do what: m groups it may talk in · l groups it is a member of · t own unit and below ·
# T others there · a own agency · A others there · v others it can see · s itself · - nowhere.
MATRIX = """
                            officer handler intake disp shift leader superv system security audit
talk group                  m       m       m      m    m     m      -      -      -        -
listen group                l       l       l      l    l     l      l      -      -        -
select group                l       l       l      l    l     l      l      -      -        -
text group                  l       l       l      lt   lt    lt     -      -      -        -
text user                   v       v       v      v    v     v      -      -      -        -
call user                   v       v       v      v    v     v      -      -      -        -
see_person user             vs      vs      vs     vs   vs    vs     vs     a      a        -
replay group                l       l       l      lt   lt    lt     lt     -      -        -
export group                -       -       -      -    t     -      t      -      -        -
report group                l       l       -      l    l     l      -      -      -        -
raise_sos group             l       l       -      l    l     l      -      -      -        -
declare_peril group         m       m       -      m    m     m      -      -      -        -
step_into_emergency group   -       -       -      mt   mt    mt     -      -      -        -
step_into_emergency user    -       -       -      T    T     T      -      -      -        -
step_into_emergency unit    -       -       -      t    t     t      -      -      -        -
cancel_emergency group      -       -       -      t    t     -      -      -      -        -
cancel_emergency user       s       s       -      ts   ts    s      -      -      -        -
broadcast group             -       -       -      t    t     t      -      -      -        -
broadcast user              -       -       -      T    T     T      -      -      -        -
broadcast unit              -       -       -      t    t     t      -      -      -        -
claim_alert user            -       -       -      t    t     -      -      -      -        -
keep_plans unit             -       -       -      -    t     t      -      -      -        -
dispatch group              -       -       -      t    t     t      -      -      -        -
monitor group               -       -       -      t    t     t      t      -      -        -
monitor_hidden group        -       -       -      -    t     -      -      -      -        -
revoke_floor group          -       -       -      t    t     -      -      -      -        -
pull_in user                -       -       -      T    T     -      -      -      -        -
force_end group             -       -       -      t    t     -      -      -      -        -
ban user                    -       -       -      T    T     -      -      -      -        -
patch group                 -       -       -      t    t     -      -      -      -        -
hand_over user              -       -       -      v    v     v      -      -      -        -
make_group unit             -       -       -      t    t     t      -      -      -        -
locate user                 s       s       st     st   st    st     st     -      -        -
handle_incident unit        -       -       t      t    t     -      -      -      -        -
listen_remotely user        -       -       -      -    T     -      -      -      -        -
disable_device user         -       -       -      -    T     -      -      -      A        -
end_session user            -       -       -      -    -     -      -      -      a        -
administer_people user      -       -       -      -    -     -      -      a      -        -
administer_people agency    -       -       -      -    -     -      -      a      -        -
administer_units unit       -       -       -      -    -     -      -      a      -        -
administer_units agency     -       -       -      -    -     -      -      a      -        -
administer_groups group     -       -       -      -    -     -      -      a      -        -
administer_groups agency    -       -       -      -    -     -      -      a      -        -
administer_devices agency   -       -       -      -    -     -      -      a      -        -
see_devices agency          -       -       -      -    a     -      -      a      a        -
administer_settings agency  -       -       -      -    -     -      -      a      -        -
plan_duty unit              -       -       -      -    t     -      -      a      -        -
assign_roles user           -       -       -      -    -     -      -      -      A        -
share_group group           -       -       -      -    -     -      -      -      a        -
share_group agency          -       -       -      -    -     -      -      -      a        -
rule_retention agency       -       -       -      -    -     -      -      -      a        -
read_audit agency           -       -       -      -    -     -      -      -      -        a
"""

COLUMNS = {
    "disp": Role.DISPATCHER,
    "shift": Role.SHIFT_LEADER,
    "superv": Role.SUPERVISOR,
    "system": Role.SYSTEM_ADMIN,
    "security": Role.SECURITY_ADMIN,
    "audit": Role.AUDIT_ADMIN,
}
KINDS: dict[str, type[Target]] = {"group": Group, "user": User, "unit": Unit, "agency": Agency}

# Which of the matrix's letters each target of the small city answers to, for ``me`` in ``north``.
GROUPS = {
    "mine": "mlta",
    "listened": "lta",
    "below": "ta",
    "beside": "a",
    "beside_mine": "mla",
    "theirs": "",
    "theirs_stray": "",
    "shared": "ml",
    "shared_without_me": "",
}
USERS = {"me": "sta", "near": "tTaAv", "far": "aAv", "diver": "", "plumber": "v"}
UNITS = {"north": "ta", "street": "ta", "south": "a", "root": "a", "plant": ""}
AGENCY = {"city": "a", "water": ""}

ON = Switches(remote_listening=True)


def matrix() -> dict[tuple[Act, type[Target], Role], str]:
    head, *lines = MATRIX.strip().splitlines()
    cells: dict[tuple[Act, type[Target], Role], str] = {}
    for line in lines:
        act, kind, *letters = line.split()
        for role, letter in zip(head.split(), letters, strict=True):
            cells[Act(act), KINDS[kind], COLUMNS.get(role) or Role(role)] = letter
    return cells


def targets(city: City) -> Iterator[tuple[Target, str]]:
    yield from ((city.groups[name], letters) for name, letters in GROUPS.items())
    yield from ((city.users[name], letters) for name, letters in USERS.items())
    yield from ((city.units[name], letters) for name, letters in UNITS.items())
    yield from ((AGENCIES[name], letters) for name, letters in AGENCY.items())


@pytest.mark.parametrize("role", Role)
def test_every_act_on_every_target(role: Role) -> None:
    city, cells = build(), matrix()
    me = city.add_user("me", CITY, "north", role)
    wrong = []
    for act in Act:
        for target, letters in targets(city):
            allowed = bool(set(cells.get((act, type(target), role), "-")) & set(letters))
            said = may(act, me, target, city, ON)
            if (said is None) != allowed:
                wrong.append((act.value, target.id, said))
    assert wrong == []


def test_the_matrix_knows_every_role_and_every_act() -> None:
    cells = matrix()
    assert {role for _, _, role in cells} == set(Role)
    assert {act for act, _, _ in cells} == set(Act) - {Act.ALTER_AUDIT}
    assert {(act, kind) for act, kind, _ in cells} == {(rule.act, rule.target) for rule in TABLE}


@pytest.mark.parametrize("held", [*({role} for role in Role), set(Role)], ids=lambda held: "+".join(sorted(held)))
def test_nobody_alters_the_audit(held: set[Role]) -> None:
    city = build()
    me = city.add_user("me", CITY, "north", *held)
    for target, _ in targets(city):
        assert may(Act.ALTER_AUDIT, me, target, city, ON) is not None
    assert audited(Act.ALTER_AUDIT)


def test_the_three_administrators_are_apart() -> None:
    for one in ADMINISTRATORS:
        for other in ADMINISTRATORS - {one}:
            assert not RIGHTS[one] & RIGHTS[other]
            assert not may_hold_together(frozenset({one, other}))
    for role in Role:
        assert may_hold_together(frozenset({role, Role.OFFICER}))


def test_administrators_neither_talk_nor_listen_nor_dispatch() -> None:
    administration = {Right(name) for name in ("people", "units", "groups", "devices", "settings", "roles")}
    administration |= {Right.SESSIONS, Right.DISABLE, Right.SHARING, Right.RETENTION, Right.READ_AUDIT}
    for role in ADMINISTRATORS:
        assert RIGHTS[role] <= administration


def test_every_right_is_held_and_used() -> None:
    assert {right for rights in RIGHTS.values() for right in rights} == set(Right)
    assert {rule.right for rule in TABLE} == set(Right)
    assert {rule.capability for rule in TABLE} == set(Capability)
    assert {rule.reach for rule in TABLE} == set(Reach) == set(REACHES)


def test_a_refusal_says_what_is_in_the_way() -> None:
    city = build()
    me = city.add_user("me", CITY, "north", Role.OFFICER)
    group, user = city.groups, city.users

    def said(act: Act, target: Target, subject: User = me, switches: Switches = ON) -> Refusal | None:
        return may(act, subject, target, city, switches)

    assert said(Act.TALK, group["mine"]) is None
    assert said(Act.TALK, group["listened"]) is Refusal.RECEIVE_ONLY
    assert said(Act.TALK, group["below"]) is Refusal.NOT_A_MEMBER
    assert said(Act.TALK, group["closed"]) is Refusal.GROUP_CLOSED
    assert said(Act.TALK, group["theirs"]) is Refusal.UNKNOWN_GROUP
    assert said(Act.TALK, group["theirs_stray"]) is Refusal.UNKNOWN_GROUP
    assert said(Act.CALL, user["diver"]) is Refusal.UNKNOWN_USER
    assert said(Act.CALL, user["gone"]) is Refusal.DISABLED
    assert said(Act.CALL, me) is Refusal.NOT_ALLOWED
    assert said(Act.HANDLE_INCIDENT, city.units["plant"]) is Refusal.NOT_FOUND
    assert said(Act.RAISE_SOS, group["calm"]) is Refusal.NOT_ALLOWED
    assert said(Act.DECLARE_PERIL, group["calm"]) is Refusal.NOT_ALLOWED
    assert said(Act.REVOKE_FLOOR, group["mine"]) is Refusal.NOT_ALLOWED
    assert said(Act.ADMINISTER_PEOPLE, group["mine"]) is Refusal.NOT_ALLOWED

    banned = city.add_user("me", CITY, "north", Role.OFFICER, Role.DISPATCHER, talk_banned=True)
    for act, target in (
        (Act.TALK, group["mine"]),
        (Act.CALL, user["near"]),
        (Act.BROADCAST, city.units["north"]),
        (Act.BROADCAST, group["below"]),
        (Act.BROADCAST, user["near"]),
        (Act.DISPATCH, group["below"]),
    ):
        assert said(act, target, banned) is Refusal.TALK_BANNED
    assert said(Act.LISTEN, group["mine"], banned) is None
    for act, target in (
        (Act.RAISE_SOS, group["mine"]),
        (Act.DECLARE_PERIL, group["mine"]),
        (Act.STEP_INTO_EMERGENCY, group["mine"]),
        (Act.STEP_INTO_EMERGENCY, user["near"]),
        (Act.STEP_INTO_EMERGENCY, city.units["north"]),
    ):
        assert said(act, target, banned) is None, "a ban never stands in the way of one who is in danger"

    off = city.add_user("me", CITY, "north", *Role, enabled=False)
    for act in Act:
        assert said(act, group["mine"], off) is Refusal.DISABLED

    desk = city.add_user("me", CITY, "north", Role.DISPATCHER)
    assert said(Act.MONITOR, group["unheard"], desk) is Refusal.NOT_ALLOWED
    assert said(Act.DISPATCH, group["two"], desk) is Refusal.NOT_ALLOWED
    assert said(Act.PATCH, group["closed"], desk) is Refusal.GROUP_CLOSED
    assert said(Act.FORCE_END, group["closed"], desk) is None


def test_remote_listening_is_off_unless_the_operator_switched_it_on() -> None:
    city = build()
    chief = city.add_user("me", CITY, "north", Role.SHIFT_LEADER)
    near = city.users["near"]
    assert may(Act.LISTEN_REMOTELY, chief, near, city) is Refusal.NOT_ALLOWED
    assert may(Act.LISTEN_REMOTELY, chief, near, city, ON) is None
    assert audited(Act.LISTEN_REMOTELY)


def test_two_roles_together_may_what_either_may() -> None:
    city, cells = build(), matrix()
    me = city.add_user("me", CITY, "north", Role.INTAKE, Role.SUPERVISOR)
    for (act, kind, role), letters in cells.items():
        if role in me.roles and letters != "-":
            fits = [target for target, has in targets(city) if isinstance(target, kind) and set(letters) & set(has)]
            assert all(may(act, me, target, city) is None for target in fits)


def test_rights_are_told_by_name_and_a_disabled_user_has_none() -> None:
    city = build()
    me = city.add_user("me", CITY, "north", Role.OFFICER)
    assert rights_of(me) == ["listen", "peril", "private_call", "replay", "report", "sos", "talk", "text"]
    assert has(me, Right.SOS)
    gone = city.add_user("me", CITY, "north", Role.OFFICER, enabled=False)
    assert rights_of(gone) == []
    assert not has(gone, Right.SOS)


def test_what_dispatchers_and_administrators_do_is_audited() -> None:
    quiet = {Act.TALK, Act.LISTEN, Act.SELECT, Act.TEXT, Act.CALL, Act.SEE_PERSON, Act.REPORT, Act.LOCATE}
    assert {act for act in Act if not audited(act)} == quiet


def test_a_ring_or_a_very_deep_tree_of_units_reaches_nothing_and_ends() -> None:
    city = build()
    chief = city.add_user("me", CITY, "north", Role.DISPATCHER)
    city.add_unit("a", CITY, "b")
    city.add_unit("b", CITY, "a")
    assert may(Act.HANDLE_INCIDENT, chief, city.units["a"], city) is Refusal.NOT_ALLOWED
    city.add_unit("lost", CITY, "nowhere")
    assert may(Act.HANDLE_INCIDENT, chief, city.units["lost"], city) is Refusal.NOT_ALLOWED
    for depth, parent in enumerate(["north", *(f"level{depth}" for depth in range(MAX_UNIT_DEPTH))]):
        city.add_unit(f"level{depth}", CITY, parent)
    assert may(Act.HANDLE_INCIDENT, chief, city.units[f"level{MAX_UNIT_DEPTH - 2}"], city) is None
    assert may(Act.HANDLE_INCIDENT, chief, city.units[f"level{MAX_UNIT_DEPTH - 1}"], city) is Refusal.NOT_ALLOWED


def test_the_small_city_serves_as_facts() -> None:
    facts: Facts = build()
    assert list(facts.groups_of(build().users["diver"].id)) == ["theirs", "theirs_stray"]
