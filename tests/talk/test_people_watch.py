"""Who is there, told whole once and then by what is different."""

from __future__ import annotations

from groups.vocabulary import UserId
from poc_server.ground import marks
from poc_server.talk.people import PersonHere
from poc_server.talk.people_watch import PeopleWatch

ANNE, BO, CHEN = (UserId(name) for name in ("anne", "bo", "chen"))


class City:
    """Who is there, as the test says."""

    def __init__(self, *users: UserId) -> None:
        self.here = {user: PersonHere(user, online=True, listening=True) for user in users}
        self.watch = PeopleWatch(self.here.values)

    async def look(self) -> None:
        """At once, not when a second is over."""
        await self.watch.now()


async def test_everybody_is_told_once_and_then_who_came_went_or_is_different() -> None:
    city = City(ANNE, BO)
    first = await city.watch.since("")
    assert (first.whole, [each.user for each in first.people], first.gone) == (True, [ANNE, BO], [])
    city.here[ANNE] = PersonHere(ANNE, online=True, busy=True)
    del city.here[BO]
    city.here[CHEN] = PersonHere(CHEN, online=True)
    await city.look()
    second = await city.watch.since(first.mark)
    assert (second.whole, second.people, second.gone) == (False, [city.here[ANNE], city.here[CHEN]], [BO])
    third = await city.watch.since(second.mark)
    assert (third.whole, third.people, third.gone) == (False, [], [])


async def test_who_missed_some_answers_is_told_how_it_stands_now() -> None:
    city = City(ANNE)
    mark = (await city.watch.since("")).mark
    for busy in (True, False, True):
        city.here[ANNE] = PersonHere(ANNE, online=True, busy=busy)
        await city.look()
    del city.here[ANNE]
    await city.look()
    city.here[ANNE] = back = PersonHere(ANNE, online=True)
    await city.look()
    assert (await city.watch.since(mark)).people == [back]


async def test_those_who_ask_within_a_second_share_one_look() -> None:
    city = City(ANNE)
    mark = (await city.watch.since("")).mark
    city.here[BO] = PersonHere(BO, online=True)
    assert (await city.watch.since(mark)).people == []
    assert BO in {each.user for each in await city.watch.now()}, "unless they want to know it now"


async def test_a_mark_of_another_node_and_one_that_is_none_are_answered_with_everybody() -> None:
    city, other = City(ANNE), City(BO)
    own = (await city.watch.since("")).mark
    name = own.partition(".")[0]
    for mark in ((await other.watch.since("")).mark, "x", f"{name}.", f"{name}.-1", f"{name}.2", f"{name}.²"):
        assert (await city.watch.since(mark)).whole, mark


async def test_a_mark_of_before_somebody_was_forgotten_is_answered_with_everybody() -> None:
    city = City(ANNE, *(UserId(f"u{number}") for number in range(marks.GONE_KEPT + 1)))
    old = (await city.watch.since("")).mark
    for user in list(city.here):
        if user != ANNE:
            del city.here[user]
    await city.look()
    news = await city.watch.since(old)
    assert news.whole, "one more is gone than is kept"
    assert [each.user for each in news.people] == [ANNE]
    assert not (await city.watch.since(news.mark)).whole
