"""Runs Mumble's server on the same work: one talker, N listeners on its UDP voice channel, CPU per delivered packet.

Only what the measurement needs of Mumble's protocol is spoken: sign on over TLS, take the key, send OCB2-AES128 voice.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from loadtest.reference.drain import Drain, NoReference, measure, udp

_VERSION, _AUTHENTICATE, _REJECT, _SERVER_SYNC, _CRYPT_SETUP = 0, 2, 4, 5, 15
_FRAME: Final = struct.Struct("!HI")
_PING, _OPUS = 0x20, 0x80
_BLOCK: Final = 16
_AT_ONCE: Final = 50
_START_S: Final = 15.0


def run(listeners: int, pps: float, payload: int, seconds: float) -> dict[str, Any]:
    """The same figures as of the floor, but for relay times. Raises `NoReference`."""
    program = shutil.which("murmurd") or shutil.which("mumble-server") or shutil.which("murmurd", path="/usr/sbin")
    if program is None:
        raise NoReference("mumble-server is not installed")
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        settings = Path(folder, "murmur.ini")
        settings.write_text(
            f"database={folder}/m.sqlite\nlogfile={folder}/m.log\nhost=127.0.0.1\nport={port}\nusers={listeners + 10}\n"
            f"uname={getpass.getuser()}\nbandwidth=558000\nwelcometext=\nautobanAttempts=0\nmessageburst=100000\nmessagelimit=100000\ntimeout=300\n"
        )
        settings.chmod(0o644)
        quiet = subprocess.DEVNULL
        with subprocess.Popen([program, "-fg", "-ini", str(settings)], stdout=quiet, stderr=quiet) as server:
            try:
                return asyncio.run(_measure(server.pid, port, listeners, pps, payload, seconds))
            finally:
                server.terminate()


async def _measure(pid: int, port: int, listeners: int, pps: float, payload: int, seconds: float) -> dict[str, Any]:
    await _until_it_listens(port)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> _Client:
        async with gate:
            return await _Client.connect(f"phone{number}", port)

    clients = await asyncio.gather(*(one(n) for n in range(listeners + 1)))
    talker, others = clients[0], clients[1:]
    await asyncio.sleep(1.0)
    drain, body = Drain([client.voice for client in others]), os.urandom(payload)

    def talk(number: int) -> None:
        talker.send(bytes([_OPUS]) + _varint(2 * number) + _varint(len(body)) + body)

    try:
        return await asyncio.to_thread(measure, pid, drain, talk, pps, seconds)
    finally:
        drain.stop()
        for client in clients:
            client.close()


class _Client:
    """One signed-on participant."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader, self._writer = reader, writer
        self.voice = udp()
        self.voice.connect(("127.0.0.1", port))
        self._seal: _Ocb2 | None = None
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, name: str, port: int) -> _Client:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self = cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context), port)
        self._tell(_VERSION, b"\x08" + _number(0x010304))
        self._tell(_AUTHENTICATE, b"\x0a" + _number(len(name)) + name.encode() + b"\x28\x01")
        kind = None
        while kind != _SERVER_SYNC:
            kind, body = await self._next()
            if kind == _REJECT:
                raise NoReference(f"murmur rejects {name}")
            if kind == _CRYPT_SETUP:
                key, nonce = _two_texts(body)
                self._seal = _Ocb2(key, nonce)
        self.send(bytes([_PING]) + _varint(1))
        self._reading = asyncio.create_task(self._discard())
        return self

    def send(self, packet: bytes) -> None:
        if self._seal is None:
            raise NoReference("murmur gave no key")
        self.voice.send(self._seal.encrypt(packet))

    def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._writer.close()
        self.voice.close()

    def _tell(self, kind: int, body: bytes) -> None:
        self._writer.write(_FRAME.pack(kind, len(body)) + body)

    async def _next(self) -> tuple[int, bytes]:
        kind, size = _FRAME.unpack(await self._reader.readexactly(_FRAME.size))
        return kind, await self._reader.readexactly(size)

    async def _discard(self) -> None:
        while True:
            await self._next()


class _Ocb2:
    """The encrypting half of Mumble's datagram protection."""

    def __init__(self, key: bytes, nonce: bytes) -> None:
        cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - OCB2 is built from single blocks
        self._update = cipher.update
        self._nonce = int.from_bytes(nonce, "little")

    def _block(self, value: int) -> int:
        return int.from_bytes(self._update(value.to_bytes(_BLOCK, "big")), "big")

    def encrypt(self, plain: bytes) -> bytes:
        self._nonce = (self._nonce + 1) % (1 << 128)
        nonce = self._nonce.to_bytes(_BLOCK, "little")
        delta, checksum, out = self._block(int.from_bytes(nonce, "big")), 0, b""
        at = 0
        while len(plain) - at > _BLOCK:
            delta = _double(delta)
            block = int.from_bytes(plain[at : at + _BLOCK], "big")
            out += (delta ^ self._block(delta ^ block)).to_bytes(_BLOCK, "big")
            checksum ^= block
            at += _BLOCK
        rest = plain[at:]
        delta = _double(delta)
        pad = self._block(8 * len(rest) ^ delta)
        last = int.from_bytes(rest + pad.to_bytes(_BLOCK, "big")[len(rest) :], "big")
        out += (pad ^ last).to_bytes(_BLOCK, "big")[: len(rest)]
        tag = self._block(_double(delta) ^ delta ^ checksum ^ last)
        return nonce[:1] + tag.to_bytes(_BLOCK, "big")[:3] + out


def _double(value: int) -> int:
    """Times x in GF(2^128)."""
    return (value << 1 & (1 << 128) - 1) ^ (0x87 if value >> 127 else 0)


def _varint(value: int) -> bytes:
    """Mumble's own numbers of up to 21 bits."""
    if value < 0x80:
        return bytes([value])
    if value < 0x4000:
        return bytes([0x80 | value >> 8, value & 255])
    return bytes([0xC0 | value >> 16, value >> 8 & 255, value & 255])


def _number(value: int) -> bytes:
    """A protobuf number."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _two_texts(body: bytes) -> tuple[bytes, bytes]:
    """The first two fields of a protobuf message whose first fields are short texts: key and client nonce."""
    first = body[2 : 2 + body[1]]
    rest = body[2 + body[1] :]
    return first, rest[2 : 2 + rest[1]]


async def _until_it_listens(port: int) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > deadline:
                raise NoReference("murmur does not come up") from None
            await asyncio.sleep(0.2)
        else:
            writer.close()
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
