"""Who is to end, ends: whatever a driver makes of it."""

from __future__ import annotations

import asyncio

import pytest

from poc_server.ground.cancellation import cancellation_kept
from poc_server.ground.refused import StoreUnavailable


async def loses_it(then: Exception | None) -> None:
    with cancellation_kept():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if then is not None:
                raise then from None


@pytest.mark.parametrize("then", [None, StoreUnavailable("gone"), TimeoutError()])
async def test_who_was_cancelled_is_cancelled_whatever_came_of_it(then: Exception | None) -> None:
    work = asyncio.create_task(loses_it(then))
    await asyncio.sleep(0)
    work.cancel()
    await asyncio.wait((work,))
    assert work.cancelled()


async def test_who_had_a_while_only_is_told_that_it_is_over() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await loses_it(None)


async def test_what_fails_by_itself_is_told_as_it_is_and_a_wait_within_is_no_end() -> None:
    with pytest.raises(StoreUnavailable), cancellation_kept():
        raise StoreUnavailable("gone")
    with cancellation_kept(), pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
