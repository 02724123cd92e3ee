"""RTCP against aiortc's own parser and by hand."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket

from poc_server.media.wire import rtcp
from poc_server.media.wire.rtcp import Reception, ReportBlock

BLOCK = ReportBlock(7, 64, -3, 70_000, 55, 0x12345678, 655)


def test_a_receiver_report_reads_the_same_to_another() -> None:
    packet = rtcp.receiver_report(99, BLOCK)
    report, names = RtcpPacket.parse(packet)
    assert isinstance(report, RtcpRrPacket)
    assert isinstance(names, RtcpSdesPacket)
    assert report.ssrc == 99
    one = report.reports[0]
    assert (one.ssrc, one.fraction_lost, one.packets_lost, one.highest_sequence) == (7, 64, -3, 70_000)
    assert (one.jitter, one.lsr, one.dlsr) == (55, 0x12345678, 655)
    parsed = rtcp.parse(packet)
    assert parsed is not None
    assert parsed.blocks == (BLOCK,)
    assert parsed.sender is None


def test_a_sender_report_reads_the_same_to_another() -> None:
    packet = rtcp.sender_report(99, 1_700_000_000_500, (1 << 32) + 960, 10, 1000)
    report, _ = RtcpPacket.parse(packet)
    assert isinstance(report, RtcpSrPacket)
    info = report.sender_info
    assert (info.rtp_timestamp, info.packet_count, info.octet_count) == (960, 10, 1000)
    assert info.ntp_timestamp >> 32 == 1_700_000_000 + 2_208_988_800
    assert info.ntp_timestamp & 0xFFFFFFFF == 1 << 31
    parsed = rtcp.parse(packet)
    assert parsed is not None
    assert parsed.sender == rtcp.SenderInfo(99, info.ntp_timestamp >> 16 & 0xFFFFFFFF, 960)


@pytest.mark.parametrize("lost", [-(1 << 23) - 1, -(1 << 23), (1 << 23) - 1, 1 << 23])
def test_a_count_of_losses_stays_in_its_field(lost: int) -> None:
    parsed = rtcp.parse(rtcp.receiver_report(1, BLOCK._replace(total_lost=lost)))
    assert parsed is not None
    assert parsed.blocks[0].total_lost == max(-(1 << 23), min((1 << 23) - 1, lost))


WHOLE = rtcp.sender_report(9, 0, 0, 0, 0) + rtcp.receiver_report(9, BLOCK)


@pytest.mark.parametrize("size", range(1, len(WHOLE)))
def test_a_cut_off_compound_is_refused_but_between_packets(size: int) -> None:
    ends = {28, 28 + 16, 28 + 16 + 32, len(WHOLE)}
    assert (rtcp.parse(WHOLE[:size]) is None) == (size not in ends)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\xc8\x00\x01" + bytes(4),  # a sender report too short for its sender
        b"\x82\xc9\x00\x07" + bytes(28),  # two blocks announced, one there
        b"\x00\xc9\x00\x01" + bytes(4),
        b"\x9f\xc9\x00\x00",
    ],
)
def test_what_lies_about_its_size_is_refused(data: bytes) -> None:
    assert rtcp.parse(data) is None


def test_other_types_are_passed_over() -> None:
    feedback = b"\x81\xcd\x00\x02" + bytes(8)
    parsed = rtcp.parse(feedback + rtcp.receiver_report(1, BLOCK))
    assert parsed is not None
    assert parsed.blocks == (BLOCK,)


def test_packets_of_a_compound_are_looked_at_to_a_limit() -> None:
    feedback = b"\x81\xcd\x00\x02" + bytes(8)
    report = rtcp.receiver_report(1, BLOCK)[:32]
    within = rtcp.parse(feedback * (rtcp.MAX_PACKETS - 1) + report)
    beyond = rtcp.parse(feedback * rtcp.MAX_PACKETS + report)
    assert within is not None
    assert len(within.blocks) == 1
    assert beyond is not None
    assert not beyond.blocks


@pytest.mark.parametrize(("second", "is_it"), [(191, False), (192, True), (200, True), (223, True), (224, False)])
def test_rtcp_is_told_from_rtp_by_its_type(second: int, is_it: bool) -> None:
    assert rtcp.is_rtcp(bytes([0x80, second])) is is_it
    assert not rtcp.is_rtcp(b"\x80")


def test_reception_counts_losses_between_reports() -> None:
    reception = Reception(7)
    assert reception.report(0, 0) is None
    for number in (10, 11, 13):
        reception.received(number, number * 960, number * 960.0, contiguous=True)
    block = reception.report(5, 6)
    assert block == ReportBlock(7, 64, 1, 13, 0, 5, 6)
    assert reception.report(0, 0) is None, "nothing came since"
    reception.received(14, 0, 0.0, contiguous=False)
    block = reception.report(0, 0)
    assert block is not None
    assert (block.fraction_lost, block.total_lost) == (0, 1)


def test_a_late_packet_makes_good_its_loss() -> None:
    reception = Reception(7)
    for number in (10, 12, 11):
        reception.received(number, 0, 0.0, contiguous=False)
    block = reception.report(0, 0)
    assert block is not None
    assert (block.fraction_lost, block.total_lost) == (0, 0)


def test_jitter_is_that_of_the_standard_and_not_taken_over_pauses() -> None:
    reception = Reception(7)
    for number in range(3):
        reception.received(number, number * 960, number * 960.0, contiguous=number > 0)
    reception.received(3, 3 * 960, 3 * 960.0 + 160, contiguous=True)
    block = reception.report(0, 0)
    assert block is not None
    assert block.jitter == 10
    reception.received(4, 4 * 960, 1e9, contiguous=False)
    block = reception.report(0, 0)
    assert block is not None
    assert block.jitter == 10
