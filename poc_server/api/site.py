"""Pages, health and metrics: what the node's TCP port serves beside ``/api/v1`` and ``/ws``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from poc_server.city_map.settings import OWN_TILES, MapSettings
from poc_server.ground.metrics import CONTENT_TYPE, Metrics

log = structlog.get_logger(__name__)
PAGES = ("talk", "leader", "console", "admin", "recordings")
CONTENT_SECURITY = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src {images}; media-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; frame-ancestors 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)
IMMUTABLE = "public, max-age=31536000, immutable"


def operations(metrics: Metrics, ready: Callable[[], str | None]) -> APIRouter:
    """``/healthz``, ``/readyz`` and ``/metrics``.

    Args:
        metrics: what is exposed.
        ready: None when phones may come, else the reason why not.
    """
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="This process is alive; looks at nothing outside")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="Whether new phones may come", responses={503: {"description": "not ready"}})
    async def readyz() -> JSONResponse:
        reason = ready()
        if reason is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": reason}, status_code=503)

    @router.get("/metrics", summary="Prometheus exposition", response_class=Response)
    async def exposition() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return router


def serve_pages(app: FastAPI, folder: Path, city_map: MapSettings) -> None:
    """Serve the built web pages in ``folder``, ``/talk`` is ``talk.html`` and so on, and tiles of our own."""
    security = CONTENT_SECURITY.format(images=" ".join(("'self' data: blob:", *city_map.origins)))
    headers = {"Content-Security-Policy": security, "Referrer-Policy": "no-referrer"}

    def page(name: str) -> FileResponse:
        return FileResponse(folder / f"{name}.html", headers={"Cache-Control": "no-cache", **headers})

    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return page("index")

    @app.get("/enrol/{code}", include_in_schema=False)
    async def enrol(code: str) -> FileResponse:
        # The code is read by the page and spent by its POST: a chat program that previews the link spends nothing.
        return page("enrol")

    def add(name: str) -> None:
        @app.get(f"/{name}", include_in_schema=False)
        async def named() -> FileResponse:
            return page(name)

        @app.get(f"/{name}/", include_in_schema=False)
        async def slashed() -> RedirectResponse:
            return RedirectResponse(f"/{name}", status_code=308)

    for name in PAGES:
        if (folder / f"{name}.html").exists():
            add(name)
    if city_map.folder is not None and not city_map.folder.is_dir():
        # A disk of tiles that is not there is no reason to be without voice.
        log.warning("no_tiles", folder=str(city_map.folder))
    elif city_map.folder is not None:
        app.mount(OWN_TILES, StaticFiles(directory=city_map.folder), name="tiles")
    app.mount("/", _Files(folder, headers), name="pages")


class _Files(StaticFiles):
    """Files whose names carry their hash may be kept for ever; the others are asked for again.

    A page that is asked for by the name of its file has the headers of a page, too.
    """

    def __init__(self, folder: Path, headers_of_pages: Mapping[str, str]) -> None:
        super().__init__(directory=folder)
        self._headers_of_pages = headers_of_pages

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        scope = args[2] if len(args) > 2 else kwargs.get("scope")
        path = scope.get("path", "") if isinstance(scope, dict) else ""
        response.headers["Cache-Control"] = IMMUTABLE if "/assets/" in path else "no-cache"
        if response.media_type == "text/html":
            response.headers.update(self._headers_of_pages)
        return response
