"""A phone at the door of a real server: whom it lets in, when a word expires, and how a path moves."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from groups.vocabulary import AgencyId, UserId
from poc_server.auth import keys
from poc_server.auth.settings import AuthSettings
from poc_server.auth.tokens import Claims, Tokens
from signaling.limits import CLOSE_BAD_TOKEN, LISTENING_EXPIRES_S, SUBPROTOCOL
from signaling.messages import GroupPresence, Listening
from tests.emergency.cast import Cast
from tests.talk.ways_report import Ears

pytestmark = pytest.mark.wire
PATROL = "滨江巡查组"
ISSUER = AuthSettings().issuer


def signed(folder: Path, user: str, *, use: Any = "access", issuer: str = ISSUER, minutes: int = 5) -> str:
    """A token as a server whose keys are in ``folder`` signs it; it holds for so many ``minutes`` from now."""
    now = int(time.time() * 1000)
    claims = Claims(UserId(user), AgencyId("ag-x"), "se-x", None, now - 600_000, now + minutes * 60_000)
    return Tokens(keys.load_or_make(folder), issuer, 0).sign(use, claims)


async def greeted(url: str, token: str, language: str = "en") -> tuple[list[dict[str, Any]], int | None]:
    """All that is said to one who greets with this token, and the code with which the socket is closed."""
    said: list[dict[str, Any]] = []
    async with asyncio.timeout(30), connect(url, subprotocols=[SUBPROTOCOL]) as socket:
        hello = {"type": "hello", "id": "h", "token": token, "client": {"name": "x", "language": language}}
        await socket.send(json.dumps(hello))
        try:
            while True:
                said.append(json.loads(await socket.recv()))
        except ConnectionClosed as closed:
            return said, closed.rcvd.code if closed.rcvd else None


async def test_a_wrong_an_expired_and_a_foreign_token_are_turned_away_each_with_its_code(
    cast: Cast, tmp_path: Path
) -> None:
    own, user = cast.city.data / "keys", cast.id("BJ-001")
    turned_away = {
        "no token at all": ("x", "bad_token"),
        "signed by another server": (signed(tmp_path, user), "bad_token"),
        "of another issuer, by a key of ours": (signed(own, user, issuer="elsewhere"), "bad_token"),
        "a refresh token": (signed(own, user, use="refresh"), "bad_token"),
        "of a session nobody knows": (signed(own, user), "bad_token"),
        "over for a minute": (signed(own, user, minutes=-1), "token_expired"),
    }
    for what, (token, code) in turned_away.items():
        (error, bye), closed = await greeted(cast.street.url, token)
        assert (error["type"], error["id"], error["code"]) == ("error", "h", code), what
        assert (bye["type"], bye["code"], bye["message"]) == ("bye", code, error["message"]), what
        assert bye["reconnect"] is (code == "token_expired"), "only what a refresh mends is worth another try"
        assert closed == CLOSE_BAD_TOKEN, what
    (error, _), _ = await greeted(cast.street.url, "x", "zh-CN")
    assert not error["message"].isascii(), "said in the language of who asks"


async def test_a_phone_that_says_nothing_more_is_not_listening_after_five_seconds(cast: Cast) -> None:
    silent, other = await cast.phones("BJ-001", "BJ-002")
    group = cast.group(silent, PATROL)
    for phone in (silent, other):
        await phone.select(group)
    # Phones of the test before may be there for a moment yet: the word is the last one only when they are gone.
    await other.told(GroupPresence, group=group, online=2, listening=2)
    other.inbox.clear()
    silent._stop_beat()
    said = asyncio.get_running_loop().time()
    silent.link.send(Listening(state="yes"))
    fewer = await other.told(GroupPresence, group=group, listening=1)
    assert asyncio.get_running_loop().time() - said >= LISTENING_EXPIRES_S, "the word holds as long as was promised"
    assert fewer.online == 2, "it is there all the same"


async def test_voice_goes_on_from_a_new_address_in_the_middle_of_a_burst(cast: Cast) -> None:
    talker, listener = await cast.phones("BJ-001", "BJ-002")
    group = cast.group(talker, PATROL)
    for phone in (talker, listener):
        await phone.select(group)
    ears = Ears(listener)
    press = talker.press_key(group)
    await press.settled
    await talker.utter(5)
    await ears.until(talker, 4)
    for phone in (talker, listener):
        keys_of_path = phone.voice
        await phone.change_network()
        assert phone.voice is keys_of_path, "the same DTLS association"
    before = ears.heard[talker.number]
    await talker.utter(10)
    await ears.until(talker, before + 9)
    talker.release_key()
