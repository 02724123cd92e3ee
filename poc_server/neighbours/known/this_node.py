"""What its neighbours need of this node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from poc_server.requests import ActsOn

if TYPE_CHECKING:
    from poc_server.talk.ears import Ears
    from poc_server.talk.patches import Patches
    from poc_server.talk.phones import Phones


class ThisNode(ActsOn, Protocol):
    """What its neighbours carry their phones' requests out on, and where their own phones are kept."""

    phones: Phones
    patches: Patches
    ears: Ears
    draining: bool
