"""The OpenAPI document is the truth: whatever comes, no server error and no undocumented answer (schemathesis)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.incidents.document import Document
from gateway.incidents.incident import Party, PartyKind
from groups.model import Membership, User
from groups.vocabulary import IncidentCode, Role, UserId
from poc_server.app import App
from poc_server.config import Config, ServerSettings
from poc_server.demo.city import build_city
from poc_server.recording.settings import RecordingSettings
from poc_server.store import StoreSettings, plans
from poc_server.store.city import groups, sessions
from poc_server.store.city.duty import ShiftDraft, create_shift
from poc_server.store.ids import now_ms
from tests.fixtures.people import QUICK, Clock, Town

pytestmark = pytest.mark.wire
EXAMPLES = 5
PATIENCE_S = 120
"""A machine with other work is no fault of the server; what hangs is still found."""
Known = dict[str, list[str]]
Running = tuple[Any, str, list[str], Known]
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
CODE = IncidentCode("E01022026110100001")


@pytest.fixture
async def running(store_settings: StoreSettings, tmp_path: Path) -> AsyncIterator[Running]:
    """A whole server with its demo city, its document, tokens of three who together may do all, and ids there are."""
    config = Config(
        demo=True,
        store=store_settings,
        server=ServerSettings(host="127.0.0.1", port=0, data=tmp_path / "data", pages=tmp_path / "none", drain_s=0),
        recording=RecordingSettings(warn_free_bytes=0),
        auth=QUICK,
    )
    async with App(config) as app:
        users = await build_city(app.store)
        first = app.store.directory.snapshot.users[users[0]]
        town = Town(app.store, app.auth, Clock(), first.agency, first.unit)
        tokens = []
        for admin in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN):
            user = await town.person(admin, Role.SHIFT_LEADER, Role.OFFICER)
            tokens.append((await app.auth.start_session(user, "demo")).access_token)
        known = await lived_in(app, first, list(users))
        url = f"http://127.0.0.1:{app.port}"
        async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as client:
            document = (await client.get(f"{url}/api/v1/openapi.json")).raise_for_status().json()
        yield document, url, tokens, known


async def lived_in(app: App, first: User, users: list[UserId]) -> Known:
    """Ids of one thing of each kind at least, so that more is asked than what is nowhere."""
    store, agency, unit, now = app.store, first.agency, first.unit, now_ms()
    everybody = [group for group in store.directory.snapshot.groups.values() if group.name == "应急频道"]
    async with store.change() as change:
        device = await sessions.create_device(change, agency, first.id, "手机")
        shift = await create_shift(change, ShiftDraft(agency, unit, "早班", now, now + 1, frozenset({first.id})))
        content = {"what": "call", "to": {"users": [users[1]]}}
        plan = await plans.create_plan(change, agency, unit, "预案", content)
        await groups.set_members(change, everybody[0].id, [Membership(everybody[0].id, first.id)])
    session = (await app.auth.start_session(users[2], "demo")).session
    await app.bridge.bridge.news(agency, CODE, Document(title="占道", parties=(Party(PartyKind.USER, users[1]),)))
    snapshot = store.directory.snapshot
    return {
        "user": list(users),
        "group": list(snapshot.groups),
        "unit": list(snapshot.units),
        "device": [device],
        "shift": [shift],
        "plan": [plan],
        "session": [session],
        "code": [CODE],
        "agency": [agency],
        "target": [everybody[0].id],
    }


# Of the two databases the one that refuses more: texts with NUL, numbers beyond 64 bits, a missing neighbour.
@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
async def test_no_server_error_and_no_undocumented_answer(running: Running) -> None:
    document, url, tokens, known = running
    asked, problems = await asyncio.to_thread(ask_all, document, url, tokens, known)
    assert not problems, "\n\n".join(problems)
    # Every operation of the document was asked, the newest too.
    assert set(asked) == {
        f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods
    }
    assert sum(sum(answers.values()) for answers in asked.values()) > 900
    deaf = [name for name, answers in asked.items() if set(answers) == {401} and "/auth/" not in name]
    assert not deaf, f"nobody was let in: {deaf}"


def ask_all(document: Any, url: str, tokens: list[str], known: Known) -> tuple[dict[str, Counter[int]], list[str]]:
    """Requests made by the document, some right and many wrong: the answers to each, and what was wrong with them."""
    asked: dict[str, Counter[int]] = {}
    count = 0
    problems: list[str] = []
    for found in from_dict(document).get_all_operations():
        operation = found.ok()
        for mode in schemathesis.GenerationMode:
            strategy = operation.as_strategy(generation_mode=mode)

            @settings(
                max_examples=EXAMPLES,
                derandomize=True,
                deadline=None,
                database=None,
                phases=(Phase.explicit, Phase.generate),
                suppress_health_check=list(HealthCheck),
            )
            @given(case=strategy)
            def ask(case: schemathesis.Case) -> None:
                nonlocal count
                count += 1
                if count % 2:
                    for name in case.path_parameters.keys() & known.keys():
                        case.path_parameters[name] = known[name][count % len(known[name])]
                # Signing out would leave the rest with a token that is over.
                token = "over" if case.path.endswith("/sign-out") else tokens[count % len(tokens)]
                headers = {"authorization": f"Bearer {token}"}
                answer = case.call(base_url=url, headers=headers, timeout=PATIENCE_S)
                asked.setdefault(f"{case.method} {case.path}", Counter())[answer.status_code] += 1
                case.validate_response(answer, checks=CHECKS)

            try:
                ask()
            except Unsatisfiable:
                continue  # nothing about this route can be wrong
            except (Exception, BaseExceptionGroup) as problem:
                problems.append(
                    f"{operation.label}\n" + "\n".join(str(each) for each in getattr(problem, "exceptions", [problem]))
                )
    return asked, problems
