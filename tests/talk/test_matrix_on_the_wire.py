"""Every role × every message and route × every kind of target, in a real city: the answer is the table's."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from groups.vocabulary import Role, UserId
from poc_server.requests import REQUESTS
from poc_server.store import StoreSettings
from signaling.messages import Hello
from tests.api.test_api_matrix import in_the_office
from tests.api.test_api_routes import whole
from tests.fixtures.routes import routes
from tests.talk.matrix_routes import OF_OTHERS, ROUTES, asked
from tests.talk.matrix_rows import ELSEWHERE, EVERYBODY, ROWS, Row
from tests.talk.matrix_world import PLACES, Place, Scene, World, opened


def test_every_message_has_a_rule_or_a_reason() -> None:
    known = [*ROWS, *EVERYBODY, *ELSEWHERE]
    assert len(known) == len(set(known))
    missing = (REQUESTS.keys() | {Hello}) - set(known)
    assert not missing, f"add rows to tests/talk/matrix_rows.py: {sorted(kind.__name__ for kind in missing)}"


def test_every_route_is_asked_or_has_a_reason() -> None:
    """Here, among those that need no live city, or where somebody proves himself by other things than a role."""
    asked = [*ROUTES, *OF_OTHERS, *(f"{method} {path}" for method, path, _ in in_the_office(whole()))]
    assert len(asked) == len(set(asked))
    every = {f"{method} {path}" for method, path, _ in routes(whole())}
    assert every == set(asked), f"add rows to tests/talk/matrix_routes.py: {sorted(every ^ set(asked))}"
    assert not [where for where in OF_OTHERS.values() if not Path(where).is_file()]


@pytest.mark.wire
@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)  # all other cities of these tests: SQLite
async def test_the_answer_to_every_message_is_that_of_the_table(store_settings: StoreSettings, tmp_path: Path) -> None:
    wrong: list[str] = []
    told: dict[tuple[str, str, str], object] = {}
    async with opened(tmp_path / "data", store_settings) as world:
        for where in PLACES:
            place = await world.place(where)
            for role in world.callers:
                wrong += await ask_all(world, place, role, told)
                wrong += await ask_routes(world, place, role, told)
    assert not wrong, "\n".join(wrong)
    oracles = [
        key for (where, *key), said in told.items() if where == "foreign" and said != told.get(("unknown", *key), said)
    ]
    assert not oracles, f"what is another agency's is told apart from what is nowhere: {oracles}"
    assert len(told) > 2_000


async def ask_all(world: World, place: Place, role: object, told: dict[tuple[str, str, str], object]) -> list[str]:
    phone = world.callers[role]  # type: ignore[index]
    wrong = []
    for kind, rows in ROWS.items():
        for at, row in enumerate(rows):
            caller = world.app.store.directory.user(UserId(phone.user))
            assert caller is not None
            scene = Scene(world, place, caller, phone)
            said, expected = await ask(scene, row)
            told[(place.where, str(role), f"{kind.__name__}/{at}")] = said
            if said != expected and not (expected is None and said in row.past):
                wrong.append(f"{role} {kind.__name__}/{at} {place.where}: {said}, table: {expected}")
    return wrong


async def ask_routes(world: World, place: Place, role: Role, told: dict[tuple[str, str, str], object]) -> list[str]:
    phone = world.callers[role]
    wrong = []
    transport = httpx.ASGITransport(world.app.api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
        for name, row in ROUTES.items():
            if not row.asked_at(place.where, role):
                continue
            caller = world.app.store.directory.user(UserId(phone.user))
            assert caller is not None
            said, expected = await asked(client, Scene(world, place, caller, phone), name)
            told[(place.where, str(role), name)] = said
            if said != expected:
                wrong.append(f"{role} {name} {place.where}: {said}, table: {expected}")
    return wrong


async def ask(scene: Scene, row: Row) -> tuple[object, object]:
    message = await row.message(scene)
    expected = row.rule(scene)
    said = await scene.ask(message)
    if said is None and row.undo is not None:
        await row.undo(scene, message)
    return said, expected
