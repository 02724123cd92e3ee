"""What makes many talk bursts one RTP stream: per burst an offset of sequence number and of timestamp.

A slot of a listener carries burst after burst, each from another talker with other numbers. Toward the listener it
must be one stream:

* numbers go on where they stopped, and within a burst the gaps and the order of the uplink are kept, so that the
  listener's concealment sees a loss as a loss;
* timestamps follow one 48 kHz clock over the pauses (a stream that goes on where it stopped makes Chromium take the
  pause for jitter and hold back the third burst by 0.8 s) and never go back;
* the first packet of each burst carries the marker.

All numbers here are extended, that is they do not wrap; the sender puts their lower bits on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """Where a downlink stream stands: the first sequence number and the first timestamp not used yet."""

    sequence: int
    timestamp: int

    def begin(self, sequence: int, timestamp: int, clock: int) -> Offsets:
        """Join a burst whose first packet on this stream is numbered ``sequence`` and ``timestamp``, sent at ``clock``.

        ``clock`` is the 48 kHz clock that all streams of the edge share. Where the stream is ahead of it (a burst cut
        in on the closing frame of another), the timestamps go on from the stream, never back.
        """
        return Offsets(sequence, self.sequence - sequence, max(self.timestamp, clock) - timestamp)

    def advance(self, packets: int, samples: int) -> Position:
        """Where the stream stands after ``packets`` of its own making that last ``samples`` together."""
        return Position(self.sequence + packets, self.timestamp + samples)


@dataclass(frozen=True, slots=True)
class Offsets:
    """What to add to the numbers of one burst on one stream; ``first`` is the uplink number it joined at."""

    first: int
    sequence: int
    timestamp: int

    def place(self, sequence: int, timestamp: int) -> tuple[int, int] | None:
        """The numbers of an uplink packet on this stream.

        ``None`` for a packet from before the stream joined the burst: its number belongs to the burst before.
        """
        if sequence < self.first:
            return None
        return sequence + self.sequence, timestamp + self.timestamp

    def after(self, last_sequence: int, end_timestamp: int) -> Position:
        """Where the stream stands when its highest packet had ``last_sequence`` and ended at ``end_timestamp``.

        Both are numbers of the uplink; ``end_timestamp`` is its timestamp plus its length in samples.
        """
        return Position(last_sequence + 1 + self.sequence, end_timestamp + self.timestamp)
