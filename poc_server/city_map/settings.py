"""What an operator may set about the maps in the pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

OWN_TILES = "/tiles"
"""Where the tiles of `MapSettings.folder` are served."""
_PARTS = ("{z}", "{x}", "{y}")


class MapSettings(BaseModel):
    """Tiles under people, cells and incidents; docs/console.md. Without any the maps need no network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tiles: str = ""
    """Address of the tiles, as "https://{s}.example.org/{z}/{x}/{y}.png" or a path of this server; empty: no tiles."""
    hosts: tuple[str, ...] = ()
    """What may stand for {s}."""
    folder: Path | None = None
    """Folder of tiles z/x/y.png, served at /tiles to all who reach this server and used where `tiles` is empty."""
    datum: Literal["WGS-84", "GCJ-02"] = "WGS-84"
    """Of the tiles; places are moved to it. CGCS2000 tiles count as WGS-84."""
    most_zoom: int = Field(default=18, ge=1, le=22)
    """The deepest level that has tiles; closer ones show it enlarged."""
    attribution: str = Field(default="", max_length=200)
    """Whose tiles they are, shown on the map."""

    @field_validator("tiles")
    @classmethod
    def _template(cls, tiles: str) -> str:
        if tiles and not all(part in tiles for part in _PARTS):
            raise ValueError("needs {z}, {x} and {y}")
        if tiles and not re.match(r"https?://[^\s;,'\"/]+/\S*$|/[^/\s]\S*$", tiles):
            raise ValueError("must begin with https://, http:// or /")
        return tiles

    @field_validator("hosts")
    @classmethod
    def _names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        # They become part of what pages are allowed to load.
        if not all(re.fullmatch(r"[A-Za-z0-9.-]+", host) for host in hosts):
            raise ValueError("letters, digits, dots and hyphens")
        return hosts

    @model_validator(mode="after")
    def _hosts_for_s(self) -> Self:
        if ("{s}" in self.tiles) != bool(self.hosts):
            raise ValueError("{s} in tiles and hosts go together")
        return self

    @property
    def template(self) -> str:
        """Where pages get tiles, empty where there are none."""
        if self.tiles or self.folder is None:
            return self.tiles
        return f"{OWN_TILES}/{{z}}/{{x}}/{{y}}.png"

    @property
    def origins(self) -> tuple[str, ...]:
        """Foreign origins that the pages must be allowed to show pictures from."""
        if not self.template.startswith("http"):
            return ()
        addresses = (self.template.replace("{s}", host) for host in self.hosts or ("",))
        return tuple(dict.fromkeys("{0.scheme}://{0.netloc}".format(urlsplit(each)) for each in addresses))
