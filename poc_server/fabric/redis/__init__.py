"""The fabric of several nodes, on one Redis (7 or newer) or Valkey."""

from poc_server.fabric.redis.fabric import RedisFabric

__all__ = ["RedisFabric"]
