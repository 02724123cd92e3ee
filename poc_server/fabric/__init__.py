"""What nodes share: floor and call state, presence, events, voice; one interface, in-process or on Redis."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from poc_server.fabric.local import LocalFabric
from poc_server.fabric.settings import FabricSettings

if TYPE_CHECKING:
    from poc_server.fabric.redis import RedisFabric


async def open_fabric(settings: FabricSettings, stack: AsyncExitStack) -> LocalFabric | RedisFabric:
    """The fabric the settings ask for; ``stack`` closes it."""
    if not settings.redis:
        return LocalFabric(settings)
    from poc_server.fabric.redis import RedisFabric

    made = await RedisFabric.open(settings)
    stack.push_async_callback(made.aclose)
    return made
