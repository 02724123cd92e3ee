"""CPU the server spends per delivered voice packet, with phones of the fleet that did the whole handshake.

    python -m tools.bench.fanout [--listeners 500] [--pps 50] [--payload 80] [--seconds 10] [--reference reference.py]

The media edge runs alone in a process of its own, whose CPU time (user and system, from /proc) is what counts. With
``--reference`` the kernel's floor is measured by that file in the same run, and the ratio told: on a shared machine
only ratios mean anything. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.util
import json
import os
import select
import socket
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from loadtest.wire.dtls import Credentials
from loadtest.wire.media import MediaPath
from loadtest.wire.reactor import Reactor
from loadtest.wire.sdp import read_offer
from poc_server.media import MediaEdge, MediaSettings, Peer
from poc_server.media.shared import wall_ms
from poc_server.media.wire.rtcp import is_rtcp

TICK = os.sysconf("SC_CLK_TCK")
SAMPLES_PER_S = 48_000
SETTLED_S = 9.0
"""After the last handshake: what a phone costs only once is not what a packet costs."""
COUNTS = ("voice_in", "voice_out", "fanout_late", "send_refused")


class Quiet:
    """Owner and observer who do nothing."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()

    def media_connected(self) -> None:
        self.connected.set()

    def media_gone(self, reason: str) -> None:
        raise SystemExit(f"a phone was lost: {reason}")

    def media_without_floor(self) -> None:
        raise SystemExit("the talker has no floor")

    def media_started(self, at_ms: int) -> None: ...

    def media_stopped(self, last_packet_ms: int) -> None: ...


async def serve(phones: int) -> None:
    """The server: offers out, answers in, one line of JSON each; then the first phone talks to all others."""
    lines = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    edge = await MediaEdge.open(MediaSettings(listen=("127.0.0.1",)), wall_ms)
    peers: list[Peer] = []
    for number in range(phones):
        owner = Quiet()
        peers.append(edge.connect(str(number), 1, owner))
        print(json.dumps(peers[-1].offer), flush=True)
        peers[-1].answer(json.loads(await lines.readline()))
        await owner.connected.wait()
    route = edge.relay.begin(1, peers[0], Quiet())
    route.set_audience(tuple(peer.slots[0] for peer in peers[1:]))
    gc.collect()
    gc.freeze()
    print(json.dumps("ready"), flush=True)
    await lines.readline()
    print(json.dumps({name: getattr(edge.counters, name) for name in COUNTS}), flush=True)


def cpu_s(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Drain:
    """Counts voice packets on many sockets, in a thread of its own, as the reference does.

    How receivers wait is part of a sender's cost: on the loopback his system call runs their half of the kernel too.
    """

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._by_fd = {one.fileno(): one for one in sockets}
        self._count = 0
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """End, and tell the count."""
        self._stop = True
        self._thread.join()
        return self._count

    def _run(self) -> None:
        poll = select.epoll()
        for fd in self._by_fd:
            poll.register(fd, select.EPOLLIN)
        while not self._stop:
            for fd, _ in poll.poll(0.2, 512):
                try:
                    while True:
                        first = self._by_fd[fd].recv(2048)[:2]
                        self._count += first[0] == 0x80 and not is_rtcp(first)
                except BlockingIOError:
                    pass


async def measure(o: argparse.Namespace) -> dict[str, Any]:
    """Connect the phones, talk, and tell what it cost."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.bench.fanout", "--serve", str(o.listeners + 1),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20,
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        reactor, credentials = Reactor(), Credentials()
        phones = []
        for _ in range(o.listeners + 1):
            offer = read_offer(json.loads(await server.stdout.readline()))
            phone = MediaPath(reactor, credentials, offer, "127.0.0.1", closely=False)
            server.stdin.write(json.dumps(phone.answer(40)).encode() + b"\n")
            phone.start()
            await phone.connected
            phones.append(phone)
        assert json.loads(await server.stdout.readline()) == "ready"
        await asyncio.sleep(SETTLED_S)
        payload, step = bytes([9 << 3]) + os.urandom(o.payload - 1), SAMPLES_PER_S // o.pps
        reactor.close()
        drain = Drain([phone._socket for phone in phones[1:]])  # noqa: SLF001 - the fleet gives its sockets up
        cpu, start, sent = cpu_s(server.pid), time.monotonic(), 0
        while time.monotonic() - start < o.seconds:
            phones[0].send_voice(payload, sent * step)
            sent += 1
            # Nothing else may happen on this loop: the phones only receive now.
            time.sleep(max(0.0, start + sent / o.pps - time.monotonic()))  # noqa: ASYNC251
        time.sleep(0.5)  # noqa: ASYNC251
        cpu = cpu_s(server.pid) - cpu
        delivered = drain.stop()
        server.stdin.write(b"\n")
        counts = json.loads(await server.stdout.readline())
        return {
            "sent": sent, "delivered": delivered, "expected": sent * o.listeners, **counts,
            "cpu_s": round(cpu, 3), "us_per_delivered": round(cpu / max(1, delivered) * 1e6, 3),
        }  # fmt: skip
    finally:
        server.kill()
        await server.wait()


def floor(o: argparse.Namespace) -> dict[str, Any]:
    """The same by the C loop of the reference."""
    spec = importlib.util.spec_from_file_location("reference", o.reference)
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    found: dict[str, Any] = reference.floor(
        SimpleNamespace(listeners=o.listeners, pps=o.pps, payload=o.payload, seconds=o.seconds)
    )
    return found


def main() -> None:
    """Read the command line and run."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--listeners", type=int, default=500)
    p.add_argument("--pps", type=int, default=50)
    p.add_argument("--payload", type=int, default=80)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--reference", type=Path)
    p.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    o = p.parse_args()
    if o.serve:
        asyncio.run(serve(o.serve))
        return
    out: dict[str, Any] = {"listeners": o.listeners, "pps": o.pps, "payload": o.payload}
    if o.reference:
        out["floor"] = floor(o)
    out["server"] = asyncio.run(measure(o))
    if o.reference:
        out["times_the_floor"] = round(out["server"]["us_per_delivered"] / out["floor"]["us_per_delivered"], 2)
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
