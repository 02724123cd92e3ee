"""Routes that need a live city: how each is asked at a place, and what the table of rights says of it.

Those that need none stand in ``tests/api/test_api_matrix.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.cap import cap
from groups.model import User
from groups.policy import Act
from groups.rights import Right, has
from groups.vocabulary import Refusal, Role, UserId
from poc_server.api.people.groups import SEES_ALL
from poc_server.api.people.sheets import ACTS
from signaling.messages import SosCancel
from tests.talk.matrix_rows import R, on_group, on_user
from tests.talk.matrix_world import Scene, number

Expected = Refusal | None
Rule = Callable[[Scene], Expected]
CELL = "420102001001001"
OF_OTHERS = {
    **dict.fromkeys(
        ("POST /auth/sign-in", "POST /auth/enrol", "POST /auth/refresh", "POST /auth/sign-out", "PUT /me/password"),
        "tests/api/test_api_sign_in.py",
    ),
    "POST /auth/external": "tests/auth/test_auth_external.py",
    "POST /senders/{sender}/news": "tests/gateway/test_bridge_webhooks.py",
}
"""Who asks proves himself by what he sends, not by a role: which test asks."""


@dataclass(frozen=True)
class Route:
    """One way of asking. ``past``: refusals that come only after rights were judged.

    ``shows``: an id; whoever asks is answered, and it stands in the answer just when ``rule`` allows it.
    ``anywhere``: nothing in it lies anywhere, so it is asked at one place. ``inside``: it matters who is in the group.
    """

    rule: Rule
    body: Callable[[Scene], Any] | None = None
    past: frozenset[Refusal] = frozenset()
    shows: Callable[[Scene], str] | None = None
    anywhere: bool = False
    inside: bool = False
    query: str = ""

    def asked_at(self, where: str, role: Role) -> bool:
        """Each role asks at each place, but for what could only be the same again."""
        match where:
            case "near":
                return True
            case "member" | "shared":
                return self.inside
            case "hearer":
                return False
            case "unknown":
                return not self.anywhere and role in (Role.DISPATCHER, Role.SHIFT_LEADER, Role.SECURITY_ADMIN)
            case _:
                return not self.anywhere


ROUTES: dict[str, Route] = {}


def route(name: str, rule: Rule, *past: Refusal, **more: Any) -> None:
    ROUTES[name] = Route(rule, past=frozenset(past), **more)


def everybody(_: Scene) -> Expected:
    return None


def by_right(right: Right) -> Rule:
    return lambda s: None if has(s.caller, right) else R.NOT_ALLOWED


def of_agency(act: Act) -> Rule:
    return lambda s: s.may(act, s.agency, R.NOT_FOUND)


def own(there: Callable[[Scene], Any], absent: Refusal = R.NOT_FOUND) -> Rule:
    """Whatever is there of one's own agency."""

    def rule(s: Scene) -> Expected:
        found = there(s)
        return None if found is not None and found.agency == s.caller.agency else absent

    return rule


def hidden(rule: Rule, absent: Refusal = R.NOT_FOUND) -> Rule:
    """What one may not see is not there."""
    return lambda s: None if rule(s) is None else absent


# --- oneself ----------------------------------------------------------------------------------------------------------

for _name in ("/me", "/me/sessions", "/me/place/reporting", "/me/push", "/map", "/units", "/cells", "/shifts/now"):
    route(f"GET {_name}", everybody, anywhere=True)
route("GET /shifts", everybody, anywhere=True)
route("POST /me/place", everybody, body=lambda _: {"reports": [{"at_ms": 1}]}, anywhere=True)
route("POST /me/push", everybody, R.BAD_MESSAGE, anywhere=True, body=lambda _: {"endpoint": "x", "keys": {}})
route("DELETE /me/push", everybody, anywhere=True, body=lambda _: {"endpoint": "x"})
route("DELETE /me/sessions/{session}", lambda _: R.NOT_FOUND)

# --- what everybody of an agency may look at --------------------------------------------------------------------------

route("GET /units/{unit}", own(lambda s: s.unit))
route("GET /shifts/{shift}", own(lambda s: s.shift))
route("GET /cells/{code}", everybody, R.NOT_FOUND, anywhere=True)


def sees_group(s: Scene) -> Expected:
    group = s.group()
    if group is None:
        return R.UNKNOWN_GROUP
    near = s.caller.agency == group.agency or s.caller.agency in group.shared_with
    inside = s.facts.membership(group.id, s.caller.id) is not None
    return None if inside or (near and any(has(s.caller, each) for each in SEES_ALL)) else R.UNKNOWN_GROUP


route("GET /groups/{group}", sees_group, inside=True)
route("GET /groups/{group}/members", sees_group, inside=True)
route("GET /groups", sees_group, inside=True, shows=lambda s: s.place.group, query="limit=200")


def sheet(s: Scene) -> Expected:
    mine = User(UserId(""), s.caller.agency, s.caller.unit, "", frozenset())
    kinds = {"people": s.agency, "roles": mine}
    kind = "roles" if s.place.where == "near" else "people"
    return s.may(ACTS[kind], kinds[kind], R.NOT_FOUND)  # type: ignore[index]


route("GET /sheets/{kind}", sheet)
route("POST /sheets/{kind}", sheet, R.BAD_MESSAGE, body=lambda _: b"")

# --- emergencies ------------------------------------------------------------------------------------------------------

claims = on_user(Act.CLAIM_ALERT, R.NOT_FOUND)


def leads(s: Scene) -> Expected:
    return s.may(Act.CANCEL_EMERGENCY, s.lead, R.NOT_FOUND)


def plans(s: Scene) -> Expected:
    return s.may(Act.KEEP_PLANS, s.unit, R.NOT_FOUND)


def says_aloud(s: Scene) -> Expected:
    return None if has(s.caller, Right.BROADCAST) or has(s.caller, Right.PLANS) else R.NOT_ALLOWED


def plan(s: Scene) -> dict[str, Any]:
    starts = {"what": "broadcast", "kind": "text", "text": "集合", "to": {"users": [s.place.user]}}
    return {"name": "预案", "unit": s.place.unit, "starts": starts}


route(
    "POST /alerts",
    lambda s: s.may(Act.CANCEL_EMERGENCY, s.caller, R.NOT_ALLOWED),
    body=lambda s: {"alert": f"https-{s.caller.id}", "pressed_ms": 1},
    anywhere=True,
)
route(
    "GET /alerts",
    lambda s: claims(s) if has(s.caller, Right.ALERTS) else R.NOT_ALLOWED,
    shows=lambda s: s.place.alert or "al-x",
)
route("GET /alerts/{alert}/cap", hidden(claims))
route("GET /broadcasts", leads, shows=lambda s: s.place.broadcast or "br-x", query="limit=200")
route("GET /broadcasts/{broadcast}", hidden(leads))
route("GET /broadcasts/{broadcast}/cap", hidden(leads))
route("GET /broadcasts/{broadcast}/audio", hidden(leads), R.NOT_FOUND)
route(
    "POST /cap",
    lambda s: s.may(Act.BROADCAST, s.own_unit, R.NOT_ALLOWED),
    anywhere=True,
    body=lambda _: cap.write(
        cap.CapAlert(
            identifier=number(),
            sender="w@example.org",
            sent="2026-01-01T00:00:00+08:00",
            status="Actual",
            msgType="Ack",
            scope="Public",
            references="w@example.org,x,2026-01-01T00:00:00+08:00",
        )
    ),
)
route("POST /messages", says_aloud, R.BAD_MESSAGE, anywhere=True, body=lambda _: b"no sound")
route("GET /messages/{message}/audio", says_aloud, R.NOT_FOUND, anywhere=True)
route("GET /plans", plans, shows=lambda s: s.place.plan)
route("POST /plans", plans, body=plan)
route("PUT /plans/{plan}", hidden(plans), body=plan)
route("DELETE /plans/{plan}", hidden(plans), R.NOT_FOUND)

# --- what was said and seen -------------------------------------------------------------------------------------------

replays = on_group(Act.REPLAY)
for _name in ("", "/audio"):
    route(f"GET /recordings/{{recording}}{_name}", hidden(replays), inside=True)
for _name in ("", "/file", "/watermarked"):
    route(f"GET /materials/{{material}}{_name}", hidden(replays), inside=True)
route("GET /recordings", replays, inside=True, shows=lambda s: s.place.recording, query="limit=200")
route("GET /materials", replays, inside=True, shows=lambda s: s.place.material, query="limit=200")
route("GET /groups/{group}/last-said", hidden(replays), inside=True)
route("GET /groups/{group}/on-air/audio", on_group(Act.LISTEN), R.NOT_FOUND, inside=True)
route("GET /missed", everybody, anywhere=True)
route("GET /evidence/keys", of_agency(Act.READ_AUDIT), anywhere=True)
route("GET /retention/terms", of_agency(Act.RULE_RETENTION), anywhere=True)
route("GET /exports", everybody, anywhere=True)
route("POST /exports", by_right(Right.EXPORT), R.BAD_MESSAGE, body=lambda _: {"search": {}}, anywhere=True)
for _name in ("", "/file"):
    route(f"GET /exports/{{export}}{_name}", lambda _: R.NOT_FOUND, anywhere=True)
route(
    "POST /materials",
    on_group(Act.REPORT),
    inside=True,
    body=lambda s: {
        "id": f"{s.place.group}{s.caller.id}".replace("-", "")[:40],
        "kind": "note", "group": s.place.group, "note": "到场", "taken_ms": 1, "sent_ms": 1,
    },
)  # fmt: skip
route("GET /materials/{material}/upload", lambda _: R.NOT_FOUND)
route("PATCH /materials/{material}/upload", lambda _: R.NOT_FOUND, body=lambda _: b"x")
for _name in ("recordings/{doomed}", "materials/{material}"):
    route(
        f"POST /{_name.replace('doomed', 'recording')}/deletion",
        lambda s: s.may(Act.RULE_RETENTION, s.agency, R.NOT_FOUND),
        R.NOT_FOUND,
        body=lambda _: {"reason": "法院"},
    )

# --- cases ------------------------------------------------------------------------------------------------------------


def handles(s: Scene) -> Expected:
    """In general, and this one."""
    return s.may(Act.HANDLE_INCIDENT, s.own_unit, R.NOT_ALLOWED) or s.may(Act.HANDLE_INCIDENT, s.case_unit, R.NOT_FOUND)


def tells_new(s: Scene) -> Expected:
    """A case of somebody of another agency names nobody that is known: it is the whole agency's."""
    theirs = s.user if s.case_unit is not None else None
    unit = s.facts.unit(theirs.unit) if theirs is not None else s.root
    return s.may(Act.HANDLE_INCIDENT, s.own_unit, R.NOT_ALLOWED) or s.may(Act.HANDLE_INCIDENT, unit, R.NOT_ALLOWED)


def tells(s: Scene) -> Expected:
    """One that is not there is made: it has nobody, so it is the whole agency's."""
    return handles(s) if s.case_unit is not None else tells_new(s)


CASE = "/incidents/{code}"
route("GET /incidents", handles, shows=lambda s: s.place.case, query="limit=200")
route(f"PUT {CASE}", tells_new, body=lambda s: {"title": "占道", "parties": [{"kind": "user", "id": s.place.user}]})
route(f"GET {CASE}", handles)
route(f"GET {CASE}/events", handles)
route(f"GET {CASE}/texts", lambda s: handles(s) or replays(s))
route(f"GET {CASE}/news", handles)
route(f"DELETE {CASE}/news/{{version}}", handles, R.NOT_FOUND)
route(f"POST {CASE}/news", tells, body=lambda _: {"title": "占道经营"})
route(f"PUT {CASE}/links", handles, body=lambda s: {"group": s.place.group})
route(f"DELETE {CASE}/links/{{group}}", handles)
route(f"POST {CASE}/bursts", handles, body=lambda s: {"recording": s.place.recording})
route(f"POST {CASE}/log-link", lambda s: handles(s) or replays(s))
route(f"POST {CASE}/close", handles)
for _name in ("GET /bridge/receivers", "GET /bridge/polls", "GET /bridge/refused"):
    route(_name, of_agency(Act.ADMINISTER_SETTINGS), anywhere=True)
for _name in ("POST {}/start", "GET {}/dead-letters", "POST {}/replay"):
    named = _name.format("/bridge/receivers/{receiver}")
    route(named, of_agency(Act.ADMINISTER_SETTINGS), R.NOT_FOUND, anywhere=True)
for _name in ("recordings/{recording}.ogg", "photos/{material}", "incidents/{agency}/{code}"):
    named = f"GET /shared/{_name}".replace("{recording}", "{key}").replace("{material}", "{key}")
    route(named, lambda _: R.NOT_ALLOWED, query="expires=1&signature=x", anywhere=True)


async def asked(client: httpx.AsyncClient, scene: Scene, name: str) -> tuple[object, object]:
    """What the route said, and what the table says: None for yes."""
    row = ROUTES[name]
    if name.startswith("GET /alerts"):
        await scene.world.open_alert(scene.place)
    expected = row.rule(scene)
    method, path = name.split(" ", 1)
    place = scene.place
    doomed = path.endswith("/deletion")
    values = {
        "unit": place.unit, "group": place.group, "alert": place.alert or "al-x",
        "broadcast": place.broadcast or "br-x", "plan": place.doomed_plan if method == "DELETE" else place.plan,
        "recording": place.doomed if doomed else place.recording,
        "material": place.doomed_material if doomed else place.material, "code": place.case, "agency": place.agency,
        "shift": place.shift, "session": place.session, "message": "0" * 32, "export": "ex-x",
        "receiver": "nobody", "version": "0", "key": place.recording,
        "kind": "roles" if place.where == "near" else "people",
    }  # fmt: skip
    if path == "/cells/{code}":
        values["code"] = CELL
    if name == f"PUT {CASE}":
        values["code"] = f"{place.case}-{scene.caller.id[-4:]}"
    url = re.sub(r"\{(\w+)\}", lambda found: values[found[1]], path) + (f"?{row.query}" if row.query else "")
    body = None if row.body is None else row.body(scene)
    given: dict[str, Any] = {"content": body} if isinstance(body, bytes | str) else {"json": body} if body else {}
    headers = {"authorization": f"Bearer {scene.phone.identity.token}", "if-match": "*", "upload-offset": "0"}
    answer = await client.request(method, url, headers=headers, **given)
    said: object = None
    if not answer.is_success:
        # A log page is refused as a page; whatever else is no refusal of the vocabulary is told as it is.
        told = answer.json().get("code") if "json" in answer.headers["content-type"] else None
        said = Refusal(told) if told and answer.status_code < 500 else {403: R.NOT_ALLOWED}.get(answer.status_code)
        said = said or f"{answer.status_code} {answer.text[:100]}"
    if row.shows is not None and answer.is_success:
        # A list leaves out what one may not see.
        return f'"{row.shows(scene)}"' in answer.text, expected is None
    if name == "POST /alerts" and said is None:
        await scene.ask(SosCancel(id=number(), alert=answer.json()["alert"]))
    return None if expected is None and said in row.past else said, expected
