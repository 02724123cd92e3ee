"""How often one may fail, at the limit and one beyond."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from groups.vocabulary import UserId
from poc_server.auth.attempts import Attempted
from poc_server.auth.failures import Failures, Of
from poc_server.auth.known import MAX_PEOPLE, KnownDevices
from poc_server.auth.limits import FailureLimiter, Sparing, address_key
from poc_server.auth.settings import AddressLimitSettings, AuthSettings, LimitSettings

SETTINGS = LimitSettings(free=3, first_wait_s=1.0, longest_s=4.0, forget_s=60.0, remembered=3)


def test_the_free_failures_cost_nothing_and_each_further_one_doubles_the_wait() -> None:
    limiter = FailureLimiter(SETTINGS)
    assert [limiter.admit("a", 0) for _ in range(3)] == [0, 0, 0]
    assert limiter.admit("a", 0) == 1_000
    assert limiter.admit("a", 999) == 1
    assert limiter.admit("a", 1_000) == 0
    assert limiter.admit("a", 1_000) == 2_000
    assert limiter.admit("a", 3_000) == 0
    assert limiter.admit("a", 3_000) == 4_000
    assert limiter.admit("a", 7_000) == 0
    assert limiter.admit("a", 7_000) == 4_000


def test_time_and_success_forgive() -> None:
    limiter = FailureLimiter(SETTINGS)
    for _ in range(3):
        limiter.admit("a", 0)
    assert limiter.admit("a", 60_001) == 0
    limiter.forget("a")
    assert [limiter.admit("a", 0) for _ in range(3)] == [0, 0, 0]


def test_a_success_at_an_address_does_not_forgive_the_failures_of_others_there() -> None:
    limiter = FailureLimiter(SETTINGS)
    limiter.admit("a", 0)
    limiter.admit("a", 0)
    limiter.admit("a", 0)
    limiter.undo("a", 0)
    assert limiter.admit("a", 0) == 0
    assert limiter.admit("a", 0) == 1_000


def test_no_more_keys_are_remembered_than_allowed() -> None:
    limiter = FailureLimiter(SETTINGS)
    for key in "abcd":
        for _ in range(3):
            limiter.admit(key, 0)
    assert limiter.admit("d", 0) == 1_000
    assert limiter.admit("a", 0) == 0


def test_what_a_stranger_drives_goes_through_at_a_rate_and_is_counted() -> None:
    sparing = Sparing(at_once=2, every_s=10)
    assert [sparing.admit("stranger", 0) for _ in range(5)] == [0, 0, None, None, None]
    assert sparing.admit("known", 0) == 0, "one sort does not use up another's"
    assert (sparing.admit("stranger", 9_999), sparing.admit("stranger", 10_000)) == (None, 4)
    assert (sparing.admit("stranger", 10_000), sparing.admit("stranger", 3_600_000)) == (None, 1)
    # A clock that is set back gives nothing away, and holds nothing back for longer than the time asked for.
    assert [sparing.admit("stranger", 0) for _ in range(2)] == [0, None]
    assert sparing.admit("stranger", 10_000) == 1


def test_what_is_the_same_each_time_goes_through_once_in_a_while() -> None:
    sparing = Sparing(at_once=9, every_s=10)
    assert [sparing.admit("too fast", at, "a") for at in (0, 1, 9_999)] == [0, None, None]
    assert (sparing.admit("too fast", 9_999, "b"), sparing.admit("too fast", 10_000, "a")) == (2, 0)
    assert sparing.admit("too fast", 0, "a") == 0, "a clock that was set back is no reason to be silent"


def test_one_host_is_one_address() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::2:3:4:5")
    assert address_key("2001:db8:0:1::1") != address_key("2001:db8::1")
    assert address_key("::ffff:192.0.2.1") == address_key("192.0.2.1") == "192.0.2.1"
    assert address_key("nonsense") == "nonsense"


def test_a_clock_that_is_set_back_makes_nobody_wait_for_hours() -> None:
    limiter = FailureLimiter(SETTINGS)
    for _ in range(3):
        limiter.admit("a", 86_400_000)
    assert limiter.admit("a", 0) == 1_000


async def test_nodes_of_one_city_count_failures_together() -> None:
    address = AddressLimitSettings(**SETTINGS.model_dump() | {"free": 8})
    settings = AuthSettings(per_account=SETTINGS, per_address=address)
    said: list[str] = []
    one, two = nodes = [Failures(settings, b"of the city", lambda: 0) for _ in range(2)]

    def to(other: Failures) -> Callable[[Mapping[str, str]], None]:
        def tell(told: Mapping[str, str]) -> None:
            said.extend(told.values())
            other.learn(told)

        return tell

    one.tell, two.tell = to(two), to(one)

    async def attempt(node: Failures, address: str) -> Attempted:
        made = Attempted(node)
        await made.count(Of.ADDRESS, address)
        await made.count(Of.ACCOUNT, "wang")
        return made

    for node in (one, two, one):
        await attempt(node, "192.0.2.1")
    assert [await node.admit(Of.ACCOUNT, "wang") for node in nodes] == [1_000, 1_000], "the account, from wherever"
    assert [node.wait(Of.KNOWN, "192.0.2.1 wang") for node in nodes] == [0, 0]
    one.forget(Of.ACCOUNT, "wang")
    (await attempt(one, "192.0.2.1")).right()
    for _ in range(3):
        await attempt(two, "192.0.2.1")
    assert await one.admit(Of.ACCOUNT, "wang") == 1_000
    # At that address it is six of eight so far: three before he was right, and three since.
    assert [await one.admit(Of.ADDRESS, "192.0.2.1") for _ in range(3)] == [0, 0, 1_000]
    two.undo(Of.ADDRESS, "192.0.2.1")
    assert await one.admit(Of.ADDRESS, "192.0.2.1") == 0
    assert not any(typed in text for text in said for typed in ("wang", "192.0")), "a name may be a password"
    two.learn({"of": "a later version", "do": "count", "key": "x"})


def test_a_mark_tells_who_signed_in_on_a_device_and_nobody_makes_one() -> None:
    ours = KnownDevices(b"of the city")
    mark = ours.with_person("", UserId("u1"))
    shared = ours.with_person(mark, UserId("u2"))
    device, with_two = ours.read(mark), ours.read(shared)
    assert device is not None
    assert with_two is not None
    assert device.name == with_two.name
    assert [ours.knows(device, UserId(each)) for each in ("u1", "u2")] == [True, False]
    assert [ours.knows(with_two, UserId(each)) for each in ("u1", "u2")] == [True, True]
    for n in range(MAX_PEOPLE - 1):
        shared = ours.with_person(shared, UserId(f"of the shift {n}"))
    full = ours.read(shared)
    assert full is not None
    assert [ours.knows(full, UserId(each)) for each in ("u1", "u2", "of the shift 0")] == [False, True, True]
    forged = ("A" if mark[0] != "A" else "B") + mark[1:]
    for made in ("", "x", "王", forged, mark[:-1], mark + "AAAA", "A" * 10_000, mark[:20]):
        assert ours.read(made) is None, made
    assert KnownDevices(b"of another city").read(mark) is None
