"""Plays news to the machine of an incident as its callers would."""

from __future__ import annotations

from gateway.incidents.effects import EventOut, ResolveParties
from gateway.incidents.incident import Party, PartyKind
from gateway.incidents.incident_state import DEFAULT, IncidentState, Options, new_incident
from gateway.incidents.lifecycle import Input, MembersResolved, NewsArrived, handle
from gateway.incidents.news import News
from gateway.incidents.steps import Step
from groups.vocabulary import IncidentCode, UserId

CODE = IncidentCode("E0103202607150017")
ANNA, BORIS, CHEN = UserId("anna"), UserId("boris"), UserId("chen")


def news(version: int, step: Step | None = None, **facts: object) -> News:
    return News(id=f"n{version}", version=version, at=version * 1000, step=step, **facts)  # type: ignore[arg-type]


def dispatched_to(*users: UserId) -> tuple[Party, ...]:
    return tuple(Party(PartyKind.USER, user) for user in users)


def run(
    *inputs: Input | News, state: IncidentState | None = None, now: int = 1_000_000, options: Options = DEFAULT
) -> tuple[IncidentState, list]:
    """Plays inputs as a caller would: parties named by user resolve to those users at once."""
    state = state or new_incident(CODE)
    done: list = []
    for one in inputs:
        state, effects = handle(state, NewsArrived(one) if isinstance(one, News) else one, now, options)
        done += effects
        for effect in effects:
            if isinstance(effect, ResolveParties):
                state, more = handle(state, MembersResolved(frozenset(UserId(p.id) for p in effect.parties)), now)
                done += more
    return state, done


def kinds(effects: list) -> list[str]:
    return [effect.type.value if isinstance(effect, EventOut) else type(effect).__name__ for effect in effects]


def open_incident(**facts: object) -> IncidentState:
    return run(news(1, Step.FILE), news(2, Step.DISPATCH, parties=dispatched_to(ANNA, BORIS), **facts))[0]
