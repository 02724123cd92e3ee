"""Tiles under the maps: what an operator may say, and what a page may then load."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from poc_server.api.site import serve_pages
from poc_server.city_map.settings import MapSettings


def test_without_tiles_nothing_foreign_is_loaded() -> None:
    assert MapSettings().template == ""
    assert MapSettings().origins == ()


def test_a_folder_is_served_by_this_server() -> None:
    settings = MapSettings(folder=Path("tiles"))
    assert settings.template == "/tiles/{z}/{x}/{y}.png"
    assert settings.origins == ()


def test_tiles_of_a_proxy_before_this_server_go_before_the_folder() -> None:
    assert MapSettings(tiles="/ground/{z}/{y}/{x}.jpg", folder=Path("tiles")).template == "/ground/{z}/{y}/{x}.jpg"


def test_each_host_is_allowed_by_its_origin_alone() -> None:
    settings = MapSettings(tiles="https://t{s}.example.org/v2/{z}/{x}/{y}?k=1", hosts=("0", "1"))
    assert settings.origins == ("https://t0.example.org", "https://t1.example.org")


@pytest.mark.parametrize(
    "tiles",
    [
        "https://example.org/{z}/{x}.png",
        "javascript:{z}{x}{y}",
        "//example.org/{z}/{x}/{y}.png",
        "tiles/{z}/{x}/{y}.png",
        "https://example.org; script-src */{z}/{x}/{y}",
        "https://example.org /{z}/{x}/{y}",
        "https://{s}.example.org/{z}/{x}/{y}",
    ],
)
def test_what_is_no_address_of_tiles_is_refused(tiles: str) -> None:
    with pytest.raises(ValidationError):
        MapSettings(tiles=tiles)


def test_hosts_without_a_place_for_them_are_refused() -> None:
    with pytest.raises(ValidationError, match="go together"):
        MapSettings(tiles="https://example.org/{z}/{x}/{y}.png", hosts=("a",))


@pytest.mark.parametrize("host", ["", "a;script-src *", "a b", "a/b"])
def test_a_host_is_a_name_and_nothing_else(host: str) -> None:
    with pytest.raises(ValidationError, match="hosts"):
        MapSettings(tiles="https://{s}.example.org/{z}/{x}/{y}.png", hosts=(host,))


@pytest.mark.parametrize("zoom", [0, 23])
def test_no_zoom_beyond_what_tiles_have(zoom: int) -> None:
    with pytest.raises(ValidationError):
        MapSettings(most_zoom=zoom)


async def test_a_page_may_show_pictures_of_the_tiles_origin_and_our_own_tiles_are_there(tmp_path: Path) -> None:
    pages, tiles = tmp_path / "pages", tmp_path / "tiles"
    (tiles / "3" / "4").mkdir(parents=True)
    (tiles / "3" / "4" / "5.png").write_bytes(b"a tile")
    pages.mkdir()
    (pages / "index.html").write_text("<!doctype html>")
    app = FastAPI()
    serve_pages(app, pages, MapSettings(tiles="https://tiles.example.org/{z}/{x}/{y}.png", folder=tiles))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://city") as client:
        security = (await client.get("/")).headers["content-security-policy"]
        pictures = next(each for each in security.split("; ") if each.startswith("img-src"))
        assert pictures == "img-src 'self' data: blob: https://tiles.example.org"
        assert (await client.get("/tiles/3/4/5.png")).content == b"a tile"
        assert (await client.get("/tiles/../pages/index.html")).status_code == 404
        assert (await client.get("/tiles/3/4/6.png")).status_code == 404


async def test_a_folder_of_tiles_that_is_not_there_leaves_pages_and_voice_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    app = FastAPI()
    serve_pages(app, tmp_path, MapSettings(folder=tmp_path / "tiles"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://city") as client:
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/tiles/3/4/5.png")).status_code == 404


@pytest.mark.parametrize("path", ["/talk.html", "/talk.html/", "/./talk.html"])
async def test_a_page_by_the_name_of_its_file_is_held_to_what_every_page_is(tmp_path: Path, path: str) -> None:
    for name in ("index", "talk"):
        (tmp_path / f"{name}.html").write_text("<!doctype html>")
    (tmp_path / "sw.js").write_text("")
    app = FastAPI()
    serve_pages(app, tmp_path, MapSettings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://city") as client:
        page, again, script = [await client.get(each) for each in ("/talk", path, "/sw.js")]
    held = ("content-security-policy", "referrer-policy", "cache-control")
    assert [again.headers[name] for name in held] == [page.headers[name] for name in held]
    assert "frame-ancestors 'self'" in again.headers["content-security-policy"]
    assert "content-security-policy" not in script.headers  # it would bind the worker, not the page
