"""The composition root: makes every part from the configuration, joins them, serves, and takes them down in order."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp

from gateway.waking.web_push import Vapid
from poc_server.api import MAX_BODY_BYTES, Services, build_api
from poc_server.api.at_once import AtOnce
from poc_server.api.plays import Plays
from poc_server.api.problems import unavailable
from poc_server.api.site import operations, serve_pages
from poc_server.auth import Auth
from poc_server.bridge.opened import OpenBridge
from poc_server.config import Config
from poc_server.demo.city import landing
from poc_server.dispatch import DispatchDesk
from poc_server.emergency import Emergency
from poc_server.emergency.spoken import SpokenMessages
from poc_server.fabric import open_fabric
from poc_server.fabric.local import LocalFabric
from poc_server.ground.collector import collecting_in_the_quiet
from poc_server.ground.metrics import Metrics
from poc_server.ground.secret_file import keep_first
from poc_server.media.edge import MediaEdge
from poc_server.neighbours.desk.to_desk import PURPOSE, ToDesk
from poc_server.neighbours.news.all_know import AllKnow
from poc_server.neighbours.news.news import News
from poc_server.neighbours.news.turns import Turns
from poc_server.node import readings
from poc_server.node.node import Node
from poc_server.node.parts import Parts
from poc_server.notify import Notifier
from poc_server.recording.disk_news import DiskNews
from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.recordings import Recordings
from poc_server.recording.replaying.missed import MissedVoice
from poc_server.serving import Serving
from poc_server.store import Store
from poc_server.store.city import pinyin
from poc_server.talk.people import people_here
from poc_server.talk.people_watch import PeopleWatch
from poc_server.texts import TextDesk
from poc_server.turn import ice_servers

if TYPE_CHECKING:
    from poc_server.neighbours.elsewhere import Elsewhere

log = structlog.get_logger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""Python's default of 5 ms lets a busy thread hold up a fan-out for hundreds of ms (measured)."""
_HERE = Path(__file__).resolve().parent
PAGES = (_HERE / "pages", _HERE.parent / "web" / "dist")
"""Where the pages are: in an installed package, or beside the sources."""


class App:
    """One running server process.

    Args:
        config: the whole configuration.
        front: stands before everything HTTP on the plain port (the demo on a local network has one).
        preparing: what is still to be done by the caller before phones may come; see `prepared`.
    """

    def __init__(
        self,
        config: Config,
        front: Callable[[ASGIApp], ASGIApp] = lambda served: served,
        preparing: str | None = None,
    ) -> None:
        self.config = config
        self._front = front
        self._preparing = preparing
        self.port = 0
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()

    async def __aenter__(self) -> App:
        await self._stack.__aenter__()
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.node.drain(self.config.server.drain_s if self.node.phones else 0.0)
        await self._stack.aclose()

    def prepared(self) -> None:
        """What ``preparing`` named is done: ``/readyz`` lets phones come."""
        self._preparing = None

    def _not_ready(self) -> str | None:
        return self._preparing or self.node.not_ready()

    async def run_until_stopped(self) -> None:
        """Serve until SIGTERM or SIGINT; a second signal ends at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled)
        await self._stop.wait()

    async def _start(self) -> None:
        self.config.server.data.mkdir(parents=True, exist_ok=True)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        await self._ground()
        self.node = self._node()
        await self._desks()
        self.notifier = self._notifier()
        self._read()
        self._missed()
        self.node.start()
        elsewhere = self._elsewhere()
        self._stack.callback(self.node.stop)
        self.bridge = self._bridge()
        self.api = self._http()
        self._serve_all(elsewhere)
        await self._stack.enter_async_context(collecting_in_the_quiet(self.media.quiet_s))
        media, demo = self.media, self.config.demo
        log.info("serving", port=self.port, media_port=media.port, kernel=media.kernel, demo=demo)

    async def _ground(self) -> None:
        """What everything else stands on: store, sign-in, fabric, recordings, the media edge."""
        config = self.config
        pinyin.prepare()
        self.metrics = Metrics()
        self.fabric = await open_fabric(config.fabric, self._stack)
        self.store = await Store.open(config.store, config.server.data, self.fabric.wall, self._own_data())
        self._stack.push_async_callback(self.store.aclose)
        # A node whose own clock is wrong must not give out tokens that the others take to be from the future.
        self.auth = Auth.open(config.auth, self.store, config.server.data, self.fabric.wall)
        self.recordings = await self._recordings()
        self.media = await MediaEdge.open(config.media, self.fabric.now)
        self._stack.push_async_callback(self.media.aclose)
        if self.media.buffer_bytes < config.media.socket_buffer_bytes:
            wanted = config.media.socket_buffer_bytes
            log.warning("small_socket_buffers", bytes=self.media.buffer_bytes, wanted=wanted, see="net.core.rmem_max")

    def _node(self) -> Node:
        config = self.config
        return Node(
            Parts(
                directory=self.store.directory,
                auth=self.auth,
                fabric=self.fabric,
                media=self.media,
                metrics=self.metrics,
                ice_servers=lambda user: ice_servers(config.turn, user, self.fabric.wall() / 1000),
                burst_listeners=(self.recordings,) if self.recordings else (),
                journal=self.store.journal.append,
                places=self.store.places.all,
                talk=config.talk,
                name=self._name,
            )
        )

    async def _desks(self) -> None:
        """Emergencies, texts, dispatchers. Where there are several nodes, the one that has the desk begins them."""
        config, node, alone = self.config, self.node, not self.config.fabric.redis
        node.emergency = self.emergency = Emergency(config.emergency, self.store, node)
        if self.recordings is not None:
            data = config.server.data
            self.emergency.spoken = SpokenMessages(self.recordings.worker, data / "messages", data / "made")
        if alone:
            await self.emergency.start()
        self._stack.push_async_callback(self.emergency.aclose)
        node.texts = self.texts = TextDesk(config.texts, self.store, node.roster, node.phones, node.audit)
        node.arrivals.on_came.append(self.texts.came)
        await self.texts.start()
        self._stack.push_async_callback(self.texts.aclose)
        node.dispatch = self.dispatch = DispatchDesk(self.store, node)
        if alone:
            await self.dispatch.start()
        self._stack.push_async_callback(self.dispatch.aclose)

    def _read(self) -> None:
        """What the metrics are read from."""
        node = self.node
        self.metrics.read_from(self.emergency.readings)
        self.metrics.read_from(lambda: readings.media(self.media.counters))
        self.metrics.read_from(lambda: readings.journal(self.store.journal, self.store.journals_of_others))
        self.metrics.read_from(lambda: readings.talk(node.phones, node.talkgroups, node.calls, node.endpoint))

    @property
    def _name(self) -> str:
        """What this node is called in records: nodes on one machine have names of their own."""
        return (self.config.fabric.node or socket.gethostname())[:64]

    def _own_data(self) -> Path:
        """Where this node keeps what is its own, when the data folder is shared with other nodes."""
        data, fabric = self.config.server.data, self.config.fabric
        if not fabric.redis:
            return data
        own = data / "nodes" / (fabric.node or socket.gethostname())
        own.mkdir(parents=True, exist_ok=True)
        return own

    def _elsewhere(self) -> Elsewhere | None:
        """The other nodes, where there are any."""
        if isinstance(self.fabric, LocalFabric):
            return None
        from poc_server.neighbours.elsewhere import Elsewhere
        from poc_server.neighbours.news.ends import Ends

        settings = self.config.fabric
        made = Elsewhere(self.node, self.fabric, settings.url)
        Ends(made, self.emergency)
        failures = self.auth.failures
        failures.tell, failures.turn = lambda said: made.say("sign_in", said), Turns(made.fabric).of
        made.topics["sign_in"] = lambda _, said: failures.learn(said)
        self.node.join(made)
        made.start()
        self._stack.push_async_callback(made.aclose)
        self.metrics.read_from(made.readings)
        recordings = self.recordings
        if recordings is not None:
            made.on_dead = lambda: made.fabric.spawn(recordings.adopt())
        return made

    async def _recordings(self) -> Recordings | None:
        settings = self.config.recording
        if not settings.enabled:
            return None
        made = await Recordings.open(
            settings,
            self.config.server.data,
            self.store,
            self._name,
            self.fabric.now,
        )
        self._stack.push_async_callback(made.aclose)
        self.metrics.read_from(made.readings)
        return made

    def _missed(self) -> None:
        if self.recordings is None:
            return
        node = self.node
        node.arrivals.disk_news = DiskNews(node.phones, self.recordings)
        node.arrivals.missed = made = MissedVoice(self.store, self.fabric.now, node.phones, self.recordings.caught_up)
        made.start()
        self._stack.push_async_callback(made.aclose)

    def _bridge(self) -> OpenBridge:
        data = self.config.server.data
        keys = self.config.auth.keys or data / "keys"
        # Where nothing is recorded any more, there may still be what was.
        folder = RecordingsFolder(data / "recordings") if self.recordings is None else self.recordings.folder
        made = OpenBridge.open(self.config.bridge, self.node, self.store, keys, folder)
        self._stack.push_async_callback(made.aclose)
        self.metrics.read_from(made.couriers.readings)
        self.node.incidents = made.bridge
        if self.recordings is not None:
            made.facts.calls.append(self.emergency.calls.of_group)
            self.recordings.facts_of = made.facts
        return made

    def _notifier(self) -> Notifier:
        config = self.config
        keys = config.auth.keys or config.server.data / "keys"
        file = config.notify.vapid_key or keys / "vapid.pem"
        vapid = Vapid.open(file, config.notify.contact, keep_first) if config.notify.web_push else None
        made = Notifier(config.notify, self.store, vapid, config.bridge.public_url)
        made.start()
        self._stack.push_async_callback(made.aclose)
        self.metrics.read_from(made.readings)
        self.emergency.wake = made.wake
        self.node.wake_by(made.wake)
        return made

    def _http(self) -> FastAPI:
        services = Services(
            self.store,
            self.auth,
            landing if self.config.demo else None,
            self.recordings,
            self.bridge,
            self.emergency,
            notifier=self.notifier,
            presence=PeopleWatch(lambda: people_here(self.node.phones, self.node.talkgroups, self.node.conditions)),
            connected=self.node.phones.by_session,
            city_map=self.config.map,
            at_once=AtOnce(self.config.server.requests_per_person),
            plays=Plays(self.config.recording.play_s * 1_000),
        )
        api = build_api(services)
        api.include_router(operations(self.metrics, self._not_ready))
        places = (self.config.server.pages,) if self.config.server.pages else PAGES
        pages = next((folder for folder in places if (folder / "index.html").exists()), None)
        if pages is not None:
            serve_pages(api, pages, self.config.map)
        else:
            log.warning("no_pages", folders=[str(folder) for folder in places])
        return api

    async def listen_tls(self, port: int, certificate: Path, key: Path) -> int:
        """Serve the same on another TCP port, with TLS of our own: for trying on a local network.

        Returns the port. Raises OSError when it is taken.
        """
        return self._serve(self.api, port, (certificate, key)).port

    def _tls_files(self) -> tuple[Path, Path] | None:
        settings = self.config.server
        if settings.tls_certificate is None or settings.tls_key is None:
            return None
        return settings.tls_certificate, settings.tls_key

    def _serve_all(self, elsewhere: Elsewhere | None) -> None:
        settings = self.config.server
        api: ASGIApp = self.api
        if elsewhere is not None:
            api = to_desk = ToDesk(
                api, unavailable, lambda: elsewhere.desk.url, self.auth.signing.secret(PURPOSE), MAX_BODY_BYTES
            )
            self._stack.push_async_callback(to_desk.aclose)
            api = AllKnow(api, News(elsewhere, self.store), self.store.directory)
        public = self._serve(self._front(api), settings.port, self._tls_files(), shared=settings.shared_port)
        self.port = public.port
        if settings.shared_port:
            # Whoever comes while this node drains is another's: the system must not choose it any more.
            self.node.on_drain.append(public.listen_no_more)
        if settings.own_port:
            self._serve(api, settings.own_port, None, shared=settings.shared_port, own=True)

    def _serve(
        self, served: ASGIApp, port: int, tls: tuple[Path, Path] | None, *, shared: bool = False, own: bool = False
    ) -> Serving:
        made = Serving.begin(served, self.node.endpoint, self.config.server.host, port, tls, shared=shared, own=own)
        self._stack.push_async_callback(made.aclose)
        return made

    def _signalled(self) -> None:
        if self._stop.is_set():
            self.node.stop()
            raise SystemExit(130)
        self._stop.set()
