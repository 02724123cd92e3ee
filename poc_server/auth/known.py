"""The mark of a device on which somebody has signed in: a cookie that proves nothing but that.

It lets its bearer be counted apart from strangers when he fails to sign in, and gives no right at all. It is signed,
so that nobody makes one, and names people by digests, so that nobody reads in it who uses a device.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from groups.vocabulary import UserId

PURPOSE = b"poc-server known devices v1"
MAX_PEOPLE = 32
"""Of one device, a computer that a shift shares; who signed in there longest ago is forgotten first."""
_DEVICE_BYTES, _PERSON_BYTES, _MAC_BYTES = 12, 8, 16
MAX_MARK_CHARS = -(-(_DEVICE_BYTES + MAX_PEOPLE * _PERSON_BYTES + _MAC_BYTES) // 3) * 4


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device by a random name, and the digests of those who signed in on it, the latest last."""

    name: bytes
    people: tuple[bytes, ...] = ()


class KnownDevices:
    """Reads and writes marks. ``secret``: of the city, so that every node knows a device."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def read(self, mark: str) -> KnownDevice | None:
        """The device of a mark; None for whatever we did not sign."""
        if not mark or len(mark) > MAX_MARK_CHARS:
            return None
        try:
            raw = base64.urlsafe_b64decode(mark.encode("ascii") + b"=" * (-len(mark) % 4))
        except (UnicodeEncodeError, binascii.Error):
            return None
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(body)) or len(body) < _DEVICE_BYTES:
            return None
        told = body[_DEVICE_BYTES:]
        people = tuple(told[at : at + _PERSON_BYTES] for at in range(0, len(told), _PERSON_BYTES))
        return KnownDevice(body[:_DEVICE_BYTES], people)

    def knows(self, device: KnownDevice, user: UserId) -> bool:
        """Whether this person has signed in on it."""
        return self._person(user) in device.people

    def with_person(self, mark: str, user: UserId) -> str:
        """The mark of the same device, on which ``user`` has signed in now; of a new one where it had none."""
        device = self.read(mark) or KnownDevice(secrets.token_bytes(_DEVICE_BYTES))
        him = self._person(user)
        people = [*(each for each in device.people if each != him), him][-MAX_PEOPLE:]
        body = device.name + b"".join(people)
        return base64.urlsafe_b64encode(body + self._mac(body)).decode().rstrip("=")

    def _person(self, user: UserId) -> bytes:
        return hashlib.blake2b(user.encode(), key=self._secret, digest_size=_PERSON_BYTES).digest()

    def _mac(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, key=self._secret, digest_size=_MAC_BYTES, person=b"mark").digest()
