"""The city in memory: a snapshot that is swapped, read from SQL or from its copy on disk, and never waited for."""

from poc_server.store.directory.directory import Directory, DirectoryChange

__all__ = ["Directory", "DirectoryChange"]
