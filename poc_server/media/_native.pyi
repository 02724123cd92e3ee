from typing import Any

AT_ONCE: int

class Key:
    def __init__(self, key: bytes) -> None: ...

class Sealer:
    highest: int
    def __init__(self, key: Key, nonce: bytes, ssrc: int) -> None: ...

class Line:
    route: Any
    sealer: Sealer | None
    first: int
    last: int
    add_sequence: int
    add_timestamp: int
    lossy: bool
    def aim(self, fd: int, name: bytes, /) -> None: ...

def fan(
    slots: tuple[Any, ...],
    start: int,
    route: object,
    sequence: int,
    timestamp: int,
    payload: bytes,
    kind: int,
    entry: bool,
    doubled: bool,
    /,
) -> tuple[int, int, list[Any] | None]: ...
