"""What the pages' maps are drawn on."""

from __future__ import annotations

from typing import Literal

from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import SignedInCaller, Use
from poc_server.api.shapes import Body

router = routes_of("places")


class TilesOut(Body):
    """Tiles in Web Mercator: ``template`` with {z}, {x}, {y} and, where there are ``hosts``, {s}."""

    template: str
    hosts: tuple[str, ...]
    datum: Literal["WGS-84", "GCJ-02"]
    most_zoom: int
    attribution: str


class MapOut(Body):
    """``tiles`` is None where the operator has none: cells and places are drawn alone."""

    tiles: TilesOut | None


@router.get("/map", responses=documented(401))
async def ground(caller: SignedInCaller, services: Use) -> MapOut:
    """The ground of the maps."""
    wanted = services.city_map
    if not wanted.template:
        return MapOut(tiles=None)
    return MapOut(
        tiles=TilesOut(
            template=wanted.template,
            hosts=wanted.hosts,
            datum=wanted.datum,
            most_zoom=wanted.most_zoom,
            attribution=wanted.attribution,
        )
    )
