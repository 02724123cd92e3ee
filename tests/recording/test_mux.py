"""Files are judged by libopus and opusinfo, never by the library that wrote them."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codec.packet import VoicePacket
from groups.vocabulary import BurstEnd
from poc_server.recording.model import Recording
from poc_server.recording.spooling.spool import NotASpool, SpoolEnd, end_record, head_record, voice_record
from poc_server.worker.mux import mux, so_far
from tests.recording.voices import FRAME_MS, NOON, SAMPLES, hear, intelligibility, likeness, meta, speech, spoken

pytestmark = pytest.mark.wire


def finish(folder: Path, packets: list[VoicePacket], end: SpoolEnd | None = None) -> tuple[Recording, bytes]:
    spool = folder / "s.spool"
    ending = end_record(end) if end else b""
    spool.write_bytes(head_record(replace(meta(), from_ms=NOON)) + voice_record(packets) + ending)
    record = mux(spool, folder / "recordings", 480)
    return record, (folder / "recordings" / record.file).read_bytes() if record.file else b""


def opusinfo(path: Path) -> str:
    done = subprocess.run(["opusinfo", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return done.stdout


def test_the_file_is_what_was_said(tmp_path: Path) -> None:
    record, data = finish(tmp_path, spoken(250), SpoolEnd(BurstEnd.RELEASED, NOON + 10_000))
    heard = hear(data)
    assert heard.plays == 250 * SAMPLES
    assert len(heard.samples) == 250 * SAMPLES
    found = likeness(heard.samples, speech()[: 250 * SAMPLES])
    assert np.median(found) > 0.9
    assert min(found) > 0.8
    assert intelligibility(heard.samples, speech()[: 250 * SAMPLES]) > 0.95
    assert (record.duration_ms, record.packets, record.lost, record.outcome) == (10_000, 250, 0, BurstEnd.RELEASED)
    assert record.sha256 == hashlib.sha256(data).hexdigest()
    assert record.size == len(data)
    assert "Playback length: 0m:10.000s" in opusinfo(tmp_path / "recordings" / record.file)


def test_a_clock_that_is_set_back_makes_no_time_run_backwards(tmp_path: Path) -> None:
    """The burst ends an hour before it began, as the node's clock has it; what plays is what was said all the same."""
    packets = spoken(50)
    behind = [p._replace(arrived_ms=p.arrived_ms - 3_600_000) if i >= 25 else p for i, p in enumerate(packets)]
    record, data = finish(tmp_path, behind, SpoolEnd(BurstEnd.RELEASED, NOON - 3_598_000))
    assert hear(data).plays == 50 * SAMPLES
    assert (record.duration_ms, record.lost, record.filled_ms) == (2_000, 0, 0)
    assert record.ended_ms == record.meta.started_ms + 2_000


def test_losses_are_filled_so_that_time_is_right(tmp_path: Path) -> None:
    packets = spoken(250)
    kept = [p for i, p in enumerate(packets) if i % 10 != 5 and not 100 <= i < 150]
    record, data = finish(tmp_path, kept, SpoolEnd(BurstEnd.RELEASED, NOON + 10_000))
    heard = hear(data)
    assert heard.plays == 250 * SAMPLES
    assert record.lost == 250 - len(kept)
    assert record.filled_ms == record.lost * FRAME_MS
    later = likeness(heard.samples[160 * SAMPLES :], speech()[160 * SAMPLES : 250 * SAMPLES])
    assert np.median(later) > 0.75
    silence = heard.samples[110 * SAMPLES : 149 * SAMPLES].astype(float)
    assert np.sqrt((silence**2).mean()) < 50
    opusinfo(tmp_path / "recordings" / record.file)


def test_a_spool_without_end_is_marked_cut_at_the_last_packet(tmp_path: Path) -> None:
    record, data = finish(tmp_path, spoken(25))
    assert record.outcome is BurstEnd.CUT
    assert record.ended_ms == NOON + 24 * FRAME_MS
    assert hear(data).plays == 25 * SAMPLES


def test_doing_it_again_gives_the_same(tmp_path: Path) -> None:
    first, data = finish(tmp_path, spoken(30))
    again, same = finish(tmp_path, spoken(30))
    assert (first, data) == (again, same)
    (tmp_path / "recordings" / first.file).unlink()
    anew, remade = finish(tmp_path, spoken(30))
    assert (first, data) == (anew, remade)


def test_a_burst_without_voice_has_a_record_and_no_file(tmp_path: Path) -> None:
    record, _ = finish(tmp_path, [], SpoolEnd(BurstEnd.RELEASED, NOON + 100, unrecorded=12))
    assert (record.file, record.size, record.unrecorded, record.duration_ms) == ("", 0, 12, 0)
    assert not (tmp_path / "recordings").exists()


def test_one_packet_and_an_hour_are_both_files(tmp_path: Path) -> None:
    record, data = finish(tmp_path, spoken(1))
    assert hear(data).plays == SAMPLES
    assert len(record.peaks) == 1
    (tmp_path / "recordings" / record.file).unlink()
    record, data = finish(tmp_path, spoken(90_000))
    assert record.duration_ms == 3_600_000
    assert len(record.peaks) == 1_000
    assert "Playback length: 60m:00.000s" in opusinfo(tmp_path / "recordings" / record.file)


def test_peaks_follow_the_voice(tmp_path: Path) -> None:
    record, _ = finish(tmp_path, spoken(250))
    said = np.abs(speech()[: 250 * SAMPLES].astype(int)).reshape(len(record.peaks), -1).max(axis=1)
    assert np.corrcoef(np.frombuffer(record.peaks, np.uint8), said)[0, 1] > 0.9


def test_a_burst_that_is_over_is_not_on_air_though_its_spool_still_stands(tmp_path: Path) -> None:
    spool, wanted = tmp_path / "s.spool", tmp_path / "on-air.ogg"
    said = head_record(meta()) + voice_record(spoken(10))
    spool.write_bytes(said)
    assert so_far(spool, wanted) == 10 * SAMPLES
    wanted.unlink()
    spool.write_bytes(said + end_record(SpoolEnd(BurstEnd.RELEASED, NOON + 400)))
    assert so_far(spool, wanted) == 0
    assert not wanted.exists()


def test_what_is_no_spool_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotASpool):
        mux(tmp_path / "absent.spool", tmp_path, 480)
    (tmp_path / "junk.spool").write_bytes(b"junk")
    with pytest.raises(NotASpool):
        mux(tmp_path / "junk.spool", tmp_path, 480)
    assert list(tmp_path.rglob("*.ogg")) == []


def test_a_record_survives_json(tmp_path: Path) -> None:
    record, _ = finish(tmp_path, spoken(3))
    assert Recording.from_json(record.to_json()) == record
