from __future__ import annotations

import pytest
from pydantic import ValidationError

from poc_server.media import MediaSettings


def test_addresses_are_numbers_of_either_family() -> None:
    settings = MediaSettings(listen=("192.0.2.1",), announce=("2001:DB8::0:1",))
    assert settings.announce == ("2001:db8::1",)


@pytest.mark.parametrize("address", ["voice.example", "", "192.0.2.1:4000", "0.0.0.0", "::"])
def test_what_an_offer_cannot_carry_is_an_error_at_start(address: str) -> None:
    with pytest.raises(ValidationError):
        MediaSettings(announce=(address,))


@pytest.mark.parametrize(
    ("key", "fine", "beyond"),
    [
        ("port", 65_535, 65_536),
        ("hold_ms", 500, 501),
        ("read_batch", 1, 0),
        ("ptime_ms", 60, 80),
        ("ptime_ms", 20, 30),
        ("bitrate", 64_000, 64_001),
        ("max_slots", 64, 65),
        ("end_of_media_ms", 100, 99),
        ("backlog_s", 30, 31),
        ("warm_up_ms", 5_000, 5_001),
    ],
)
def test_limits_hold(key: str, fine: int, beyond: int) -> None:
    assert getattr(MediaSettings(**{key: fine}), key) == fine
    with pytest.raises(ValidationError):
        MediaSettings(**{key: beyond})


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(ValidationError):
        MediaSettings(porte=1)
