"""A bad street between two network namespaces: carries IP packets between TUN devices, late, unevenly, some not at all.

Run as a process of its own by `tests.support.netns`; obeys the lines of its standard input (`FORGET`), ends when that
does, and then says what it did. A process, because not every kernel has netem; and its chances are seeded, so that a
run can be repeated.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MTU = 1400
FORGET = b"forget"
"""Order: carry nothing more to the UDP ports that phones have sent from so far, as a firewall that lost its state."""
UDP = 17
QUEUE = 10_000
"""Packets under way in one direction; one more is dropped, as a router would."""


@dataclass
class Lane:
    """One direction: device to read, device to write, and what happens on the way. Times in seconds."""

    source: int
    target: int
    delay: float
    jitter: float
    loss: float
    chance: random.Random
    carried: int = 0
    lost: int = 0
    free_at: float = 0.0
    senders: set[int] = field(default_factory=set)
    """UDP ports that packets came from."""
    forgotten: frozenset[int] = frozenset()
    """UDP ports that nothing is carried to."""
    under_way: list[tuple[float, int, bytes]] = field(default_factory=list)

    def take(self, now: float) -> None:
        """Read one packet and decide its fate. Order is kept: a cell's queue is late, it does not shuffle."""
        packet = os.read(self.source, 65_536)
        ports = udp_ports(packet)
        if ports is not None:
            self.senders.add(ports[0])
        closed = ports is not None and ports[1] in self.forgotten
        if self.chance.random() < self.loss or len(self.under_way) >= QUEUE or closed:
            self.lost += 1
            return
        due = now + self.delay + self.chance.uniform(-self.jitter, self.jitter)
        self.free_at = max(self.free_at, due)
        self.carried += 1
        heapq.heappush(self.under_way, (self.free_at, self.carried, packet))

    def deliver(self, now: float) -> None:
        """Hand over what is due."""
        while self.under_way and self.under_way[0][0] <= now:
            packet = heapq.heappop(self.under_way)[2]
            try:
                os.write(self.target, packet)
            except OSError:
                self.lost += 1


def udp_ports(packet: bytes) -> tuple[int, int] | None:
    """Source and destination of a UDP packet over IPv4; None for anything else."""
    if packet[0] >> 4 != 4 or packet[9] != UDP:
        return None
    source, target = struct.unpack_from("!HH", packet, (packet[0] & 15) * 4)
    return source, target


def open_tun(netns: str, name: str, address: str) -> int:
    """A TUN device in the namespace at the path ``netns``; this process stays in that namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(netns) as handle:
        if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    for command in (f"address add {address} dev {name}", f"link set {name} mtu {MTU} txqueuelen 2000 up"):
        subprocess.run(["ip", *command.split()], check=True)
    return device


def main() -> None:
    given = json.loads(sys.argv[1])
    near, far = (open_tun(end["netns"], given["name"], end["address"]) for end in given["ends"])
    shape = given["delay_s"], given["jitter_s"], given["loss"]
    lanes = [
        Lane(near, far, *shape, random.Random(given["seed"])),
        Lane(far, near, *shape, random.Random(given["seed"] + 1)),
    ]
    print("open", flush=True)
    carry(lanes)
    print(json.dumps([{k: v for k, v in asdict(lane).items() if k in ("carried", "lost")} for lane in lanes]))


def carry(lanes: list[Lane]) -> None:
    """Work until standard input ends."""
    by_source = {lane.source: lane for lane in lanes}
    while True:
        due = min((lane.under_way[0][0] for lane in lanes if lane.under_way), default=None)
        wait = None if due is None else max(0.0, due - time.monotonic())
        readable, _, _ = select.select([0, *by_source], [], [], wait)
        now = time.monotonic()
        for one in readable:
            if one == 0:
                order = os.read(0, 4096)
                if not order:
                    return
                if order.strip() == FORGET:
                    to_phones, from_phones = lanes
                    to_phones.forgotten = frozenset(from_phones.senders)
            else:
                by_source[one].take(now)
        for lane in lanes:
            lane.deliver(now)


if __name__ == "__main__":
    main()
