"""What the command line does with recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from poc_server.config import Config
from poc_server.recording.layout import default_key
from poc_server.recording.proving.check import Checked, Trust, check, read_daily, read_heads, read_keys
from poc_server.recording.proving.keys import EvidenceKey
from poc_server.store.ids import now_ms
from poc_server.store.sql.engine import Database


@dataclass(frozen=True, slots=True)
class Verification:
    """``poc-server verify`` with its trust read in; ``notes`` say what could not be."""

    config: Config
    trust: Trust
    notes: tuple[str, ...] = ()

    @classmethod
    def prepared(cls, config: Config, heads: Sequence[Path], keys: Sequence[Path]) -> Verification:
        """Read keys and heads: those that are named, and the daily files of this server and of its ``heads_folder``.

        Our own key is trusted, for it is kept elsewhere; those in the data folder are not. Heads are read before the
        entries: what is sealed meanwhile is merely not signed yet.

        Raises:
            OSError: a file cannot be read; also when there is no key at all.
            ValueError: a file holds no key or no heads (`BadKey` among them).
        """
        trusted = read_keys(keys)
        own = config.recording.evidence_key or default_key(config.server.data)
        if own.exists():
            key = EvidenceKey.open(own)
            trusted[key.name] = key.public_pem()
        if not trusted:
            raise FileNotFoundError(f"{own}: no key to verify with; give --key")
        named, unreadable, notes = list(read_heads(heads)), [], []
        for folder in (config.server.data / "evidence", config.recording.heads_folder):
            if folder is None:
                continue
            if not folder.is_dir():
                notes.append(f"{folder}: no daily heads to compare with")
            daily, bad = read_daily(folder)
            named += daily
            unreadable += bad
        return cls(config, Trust(trusted, tuple(named), tuple(unreadable)), tuple(notes))

    async def run(self, group: str | None) -> Checked:
        """Verify everything, or one group. Raises `StoreUnavailable`."""
        data = self.config.server.data
        database = Database.open(self.config.store, data)
        try:
            return await check(database, data / "recordings", self.trust, now_ms(), group)
        finally:
            await database.aclose()
