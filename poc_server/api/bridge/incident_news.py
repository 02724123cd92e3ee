"""What was told of a case, to who handles it; and what was told wrongly, taken back."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from gateway.incidents.incident import State
from gateway.incidents.lifecycle import TakenBack
from gateway.incidents.news import FACTS, MAX_VERSION, News
from gateway.incidents.steps import Step
from poc_server.api.bridge.incident_tellers import Told
from poc_server.api.bridge.incidents import Code, Shape, TakenOut, taken
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of

router = routes_of("incidents")
Version = Annotated[int, Path(ge=0, le=MAX_VERSION)]


class NewsOut(Shape):
    """One message of a case. ``version`` is digits: it may be greater than a browser counts exactly.

    ``facts``: what it told of the case beside its step and state.
    """

    version: str
    id: str
    at_ms: int
    step: Step | None
    state: State | None
    who: str
    facts: list[str]


@router.get("/incidents/{code}/news", responses=documented(401, 403, 404, 422, 503))
async def get_news(code: Code, told: Told) -> list[NewsOut]:
    """What was told of a case in the order in which it counts, the last one first; of many the older are settled."""
    state = await told.find(code)
    return [_out(each) for each in reversed(state.news)]


@router.delete("/incidents/{code}/news/{version}", responses=documented(401, 403, 404, 422, 429, 503))
async def take_news_back(
    code: Code,
    version: Version,
    told: Told,
    id: Annotated[str, Query(max_length=256)] = "",  # noqa: A002
) -> TakenOut:
    """What was told with this version was wrong: the case stands as if it had never been told; audited.

    ``id``: which of several messages of this version; without it all of them. Told again it is discarded
    (``taken_back``), and news of lower versions count again.
    """
    await told.find(code)
    wrong = TakenBack(version, id)
    await told.reach_without(code, wrong)
    return taken(await told.bridge.bridge.take_back(told.agency, code, wrong, told.actor, told.heard), told)


def _out(news: News) -> NewsOut:
    facts = [name for name in FACTS if getattr(news, name) is not None]
    return NewsOut(
        version=str(news.version),
        id=news.id,
        at_ms=news.at,
        step=news.step,
        state=news.state,
        who=news.who,
        facts=facts,
    )
