"""Credentials for a coturn: what it expects, when they end, and that without a coturn there are none."""

from __future__ import annotations

from dataclasses import dataclass

from poc_server.turn import ice_servers, password


@dataclass(frozen=True)
class Shared:
    urls: tuple[str, ...] = ("turn:turn.example:3478?transport=udp", "turns:turn.example:5349")
    secret: str = "logen"
    lifetime_s: int = 600


def test_the_password_is_the_one_coturn_computes() -> None:
    # printf %s "$username" | openssl dgst -sha1 -hmac north -binary | base64
    assert password("north", "1433895918:patrol") == "aWzFHZ0zsT2NCFkctUQMSl6k7VY="


def test_a_phone_is_told_where_and_as_whom_until_when() -> None:
    (server,) = ice_servers(Shared(), "wang", now_s=1_000_000.9)
    assert server.urls == ["turn:turn.example:3478?transport=udp", "turns:turn.example:5349"]
    assert server.username == "1000600:wang"
    assert server.credential == password("logen", "1000600:wang")


def test_each_user_has_his_own() -> None:
    wang, li = (ice_servers(Shared(), user, now_s=0)[0].credential for user in ("wang", "li"))
    assert wang != li


def test_where_no_coturn_is_set_there_are_no_servers() -> None:
    assert ice_servers(Shared(urls=()), "wang", now_s=0) == []
    assert ice_servers(Shared(secret=""), "wang", now_s=0) == []
