"""The OpenAPI document is the truth: whatever comes, no server error and no undocumented answer (schemathesis)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from groups.vocabulary import Role
from poc_server.api import Services, build_api
from poc_server.auth import Auth
from poc_server.auth.keys import load_or_make
from poc_server.demo.city import build_city
from poc_server.store import Store, StoreSettings
from tests.fixtures.people import QUICK, Clock, Town

pytestmark = pytest.mark.wire
EXAMPLES = 12
Known = dict[str, list[str]]
Running = tuple[dict[str, object], str, list[str], Known]
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """The whole API on a real port, its document, and tokens of three who together may do everything."""
    store = await Store.open(StoreSettings(), tmp_path / "data")
    auth = Auth(QUICK, store, load_or_make(tmp_path / "keys"))
    users = await build_city(store)
    first = store.directory.snapshot.users[users[0]]
    town = Town(store, auth, Clock(), first.agency, first.unit)
    tokens = []
    for admin in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN):
        user = await town.person(admin, Role.SHIFT_LEADER, Role.OFFICER)
        tokens.append((await auth.start_session(user, "demo")).access_token)
    snapshot = store.directory.snapshot
    known: Known = {
        "user": list(users),
        "group": list(snapshot.groups),
        "unit": list(snapshot.units),
    }
    app = build_api(Services(store, auth, demo=True))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield app.openapi(), f"http://127.0.0.1:{listening.getsockname()[1]}", tokens, known
    finally:
        server.should_exit = True
        await serving
        await store.aclose()


async def test_no_server_error_and_no_undocumented_answer(
    running: Running,
) -> None:
    document, url, tokens, known = running
    asked, problems = await asyncio.to_thread(ask_all, document, url, tokens, known)
    assert not problems, "\n\n".join(problems)
    assert asked > 1_000


def ask_all(document: dict[str, object], url: str, tokens: list[str], known: Known) -> tuple[int, list[str]]:
    """Requests made by the document, some right and many wrong; how many, and what was wrong with the answers."""
    asked = 0
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
                nonlocal asked
                asked += 1
                if asked % 2:
                    for name in case.path_parameters.keys() & known.keys():
                        case.path_parameters[name] = known[name][asked % len(known[name])]
                headers = {"authorization": f"Bearer {tokens[asked % len(tokens)]}"}
                answer = case.call(base_url=url, headers=headers)
                case.validate_response(answer, checks=CHECKS)

            try:
                ask()
            except Unsatisfiable:
                continue  # nothing about this route can be wrong
            except (Exception, BaseExceptionGroup) as problem:
                problems.append("\n".join(str(each) for each in getattr(problem, "exceptions", [problem])))
    return asked, problems
