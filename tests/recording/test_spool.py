from __future__ import annotations

import contextlib
import fcntl
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.packet import VoicePacket
from groups.vocabulary import BurstEnd, GroupId, IncidentCode, Tier
from poc_server.ground.city_time import city_day
from poc_server.recording.layout import audio_path, inside, safe_name, spool_name
from poc_server.recording.model import Place
from poc_server.recording.spooling.spool import (
    MAGIC,
    NotASpool,
    SpoolEnd,
    end_record,
    head_record,
    read_spool,
    voice_record,
)
from poc_server.recording.spooling.spools import TRIES, SpoolFolders
from tests.recording.voices import NOON, meta

HEAD = replace(
    meta(),
    tier=Tier.EMERGENCY,
    incident=IncidentCode("C0102-市容-7"),
    place=Place(121.4737, 31.2304, "gps", 900, accuracy_m=8.5),
)
PACKETS = [VoicePacket(i, i * 1920, bytes([i]) * 100, NOON + i * 40, 30 if i % 2 else None) for i in range(10)]
END = SpoolEnd(BurstEnd.RELEASED, NOON + 400, unrecorded=3)
WHOLE = head_record(HEAD) + voice_record(PACKETS[:5]) + voice_record(PACKETS[5:]) + end_record(END)


def test_what_was_spooled_is_read_back() -> None:
    spool = read_spool(WHOLE)
    assert spool.meta == HEAD
    assert list(spool.packets) == PACKETS
    assert spool.end == END
    assert not spool.torn


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1))
def test_a_torn_tail_costs_only_the_records_it_touches(cut: int) -> None:
    first = len(head_record(HEAD))
    try:
        spool = read_spool(WHOLE[:cut])
    except NotASpool:
        assert cut < first
        return
    records = [first, first + len(voice_record(PACKETS[:5])), len(WHOLE) - len(end_record(END))]
    assert len(spool.packets) == 5 * (sum(cut >= r for r in records) - 1)
    assert spool.end is None
    assert spool.torn == (cut not in records)


@given(st.integers(min_value=0, max_value=len(WHOLE) - 1), st.integers(min_value=1, max_value=255))
def test_a_flipped_byte_is_never_taken_for_voice(at: int, flip: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] ^= flip
    try:
        spool = read_spool(bytes(damaged))
    except NotASpool:
        return
    assert spool.torn
    assert list(spool.packets) == PACKETS[: len(spool.packets)]


@given(st.binary(max_size=400))
def test_any_bytes_are_a_spool_or_refused(data: bytes) -> None:
    for text in (data, MAGIC + data, WHOLE + data):
        with contextlib.suppress(NotASpool):
            read_spool(text)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..", ".", "", "a/b", "a\\b", "a\x00b", "组" * 64, "CON:", "a" * 65, "-rf", "x.y", "a\n"],
)
def test_a_harmful_name_becomes_a_harmless_one(name: str) -> None:
    safe = safe_name(name)
    assert safe.startswith("x.")
    assert len(safe) == 34
    assert "/" not in spool_name(meta(group=name))


def test_harmless_names_stay_and_others_never_meet_them() -> None:
    assert safe_name("g-pudong_1") == "g-pudong_1"
    assert safe_name("a" * 64) == "a" * 64
    assert len({safe_name(name) for name in ("组一", "组二", "../a", "a/", "x.a")}) == 5


def test_a_burst_falls_in_the_city_day_not_the_utc_day() -> None:
    late_evening_utc = 1_760_049_000_000  # 2025-10-09 22:30 UTC, 06:30 next day in Shanghai
    assert str(city_day(late_evening_utc, 480)) == "2025-10-10"
    path = audio_path(replace(meta(burst=7, started_ms=late_evening_utc), from_ms=9), 480)
    assert path == "2025/10/10/g-1/7-9.ogg"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x"])
def test_a_path_does_not_leave_its_folder(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    with pytest.raises(ValueError, match="leaves"):
        inside(tmp_path_factory.getbasetemp(), path)


def test_a_group_named_in_chinese_survives_the_spool() -> None:
    assert read_spool(head_record(replace(HEAD, group=GroupId("市容一组")))).meta.group == "市容一组"


@pytest.mark.parametrize("taken", [1, TRIES - 1, TRIES])
def test_a_run_spools_only_into_a_folder_it_has_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    """Another run that starts may lock ours before we have, and finish what is still on air."""
    others = []
    flock = fcntl.flock

    def late(lock: int, how: int) -> None:
        if len(others) < taken:
            (new,) = set(tmp_path.iterdir()) - {folder for folder, _ in others}
            other = (new / "lock").open("r")
            flock(other, how)
            others.append((new, other))
        flock(lock, how)

    monkeypatch.setattr(fcntl, "flock", late)
    try:
        if taken == TRIES:
            with pytest.raises(OSError, match="no folder in it can be locked"):
                SpoolFolders.open(tmp_path)
            return
        folders = SpoolFolders.open(tmp_path)
        assert folders.own not in [folder for folder, _ in others]
        assert folders.adopted == []
        folders.close()
    finally:
        for _, other in others:
            other.close()
