"""Where the routes of one topic are gathered, each with its whole path and what it may answer."""

from __future__ import annotations

from fastapi import APIRouter

from poc_server.api.problems import documented

PREFIX = "/api/v1"


def routes_of(tag: str, below: str = "") -> APIRouter:
    """A router of the HTTP interface, for paths ``below``. Whole, so that nothing makes its routes a second time."""
    return APIRouter(prefix=PREFIX + below, tags=[tag], responses=documented(400, 408, 413, 422, 429))
