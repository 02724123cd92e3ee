"""What phones of the fleet tell by RTCP, read by aiortc's parser."""

from __future__ import annotations

from aiortc.rtp import RtcpPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket

from loadtest.wire.reception import Said, SlotCount, receiver_report, sender_report

OWN, FIRST = 7, 100


def heard(slot: SlotCount, *numbers: int) -> None:
    for number in numbers:
        slot.take(number & 0xFFFF, 100, 0)


def test_a_line_on_which_nothing_came_is_reported_without_a_block() -> None:
    [receiver] = RtcpPacket.parse(receiver_report(OWN, FIRST, SlotCount()))
    assert isinstance(receiver, RtcpRrPacket)
    assert (receiver.ssrc, receiver.reports) == (OWN, [])


def block_of(slot: SlotCount) -> RtcpReceiverInfo:
    [receiver] = RtcpPacket.parse(receiver_report(OWN, FIRST, slot))
    assert isinstance(receiver, RtcpRrPacket)
    [block] = receiver.reports
    assert block.ssrc == FIRST
    return block


def test_a_listener_reports_what_is_missing() -> None:
    slot = SlotCount()
    heard(slot, 65_533, 65_534, 65_535, 65_536, 65_539)  # of seven numbers, two are missing
    block = block_of(slot)
    assert (block.packets_lost, block.highest_sequence, block.fraction_lost) == (2, 65_539, 2 * 256 // 7)


def test_each_report_tells_of_what_came_since_the_last() -> None:
    slot = SlotCount()
    heard(slot, 1, 2, 4)
    assert block_of(slot).fraction_lost == 256 // 4
    assert slot.block(FIRST) is None
    heard(slot, 3, 5, 6)  # the missing one came late
    block = block_of(slot)
    assert (block.fraction_lost, block.packets_lost, block.highest_sequence) == (0, 0, 6)


def test_a_talker_reports_what_it_sent_and_once_silent_no_more() -> None:
    said = Said()
    assert sender_report(OWN, said) is None
    said.note(100, 960)
    said.note(50, 2_880)
    compound = sender_report(OWN, said)
    assert compound is not None
    sender, name = RtcpPacket.parse(compound)
    assert isinstance(sender, RtcpSrPacket)
    assert isinstance(name, RtcpSdesPacket)
    assert sender.ssrc == name.chunks[0].ssrc == OWN
    info = sender.sender_info
    assert (info.packet_count, info.octet_count, info.rtp_timestamp) == (2, 150, 2_880)
    assert sender_report(OWN, said) is None
