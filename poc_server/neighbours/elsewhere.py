"""What this node knows of the others, and what it tells them. Everything here is told again in whole after a gap."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from groups.floor.inputs import Left
from groups.vocabulary import GroupId
from poc_server.fabric.redis.voice import VoiceLine
from poc_server.ground.metrics import Reading
from poc_server.neighbours.desk.desk import Desk
from poc_server.neighbours.known.far_phone import FarPhone
from poc_server.neighbours.known.neighbour import Neighbour
from poc_server.neighbours.life.apart import Apart
from poc_server.neighbours.life.pulse import Pulse
from poc_server.neighbours.orders.carrying_out import carry_out
from poc_server.neighbours.orders.post import Post, channel_of
from poc_server.neighbours.phones import moving
from poc_server.neighbours.phones.abroad import Abroad
from poc_server.neighbours.phones.gathering import Gathering
from poc_server.neighbours.phones.orphans import Orphans
from poc_server.neighbours.phones.own_phones import OwnPhones
from poc_server.neighbours.phones.placing import Placing
from poc_server.neighbours.voice.between import Between
from poc_server.talk.clock import loop_time

if TYPE_CHECKING:
    from poc_server.fabric.redis import RedisFabric
    from poc_server.neighbours.known.this_node import ThisNode
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)

NODES = "nodes"
ASK_S = 0.5


class Elsewhere:
    """The other nodes. Made when the fabric is one of several nodes."""

    def __init__(self, node: ThisNode, fabric: RedisFabric, url: str) -> None:
        self.node = node
        self.fabric = fabric
        self.me = fabric.incarnation
        self.nodes: dict[str, Neighbour] = {}
        self.between = Between(node, fabric.settings.prefix, self.nodes, fabric.settings.lease_ms)
        self.desk = Desk(self, self.between.losses)
        self.post = Post(self, partial(carry_out, self, self.desk))
        self.beat_s = fabric.settings.heartbeat_ms / 1000
        settings = fabric.settings
        line = VoiceLine(settings.redis, settings.voice_queue, self.between.heard, settings.timeout_ms / 1000)
        self.between.line = line
        self.apart = Apart(settings, self.nodes, line, self.desk, node.arrivals.isolated, self._cast)
        self.on_dead: Callable[[], None] = lambda: None
        """Told when another node is dead, or cannot be reached."""
        self.on_directory: Callable[[int], None] = lambda _: None
        """Told which version of the directory another node holds."""
        self.directory_version: Callable[[], int] = lambda: 0
        """Which one this node holds."""
        self.on_told_all: Callable[[], None] = lambda: None
        """Another node may have missed anything that was said once."""
        self.abroad = Abroad(node.phones)
        self.placing = Placing(node, self.me, self.nodes, self.abroad, lambda: self.apart.now)
        self.gathering = Gathering(node, self.placing, settings.gather_after_s, self.tell)
        self._url = url
        self._number = 0
        self._orders: list[tuple[Neighbour, list[dict[str, Any]], bytes]] = []
        self._flushing = False
        self._joined = False
        self._own = OwnPhones(node, self._cast)
        self._orphans = Orphans(node)
        self._tasks: list[asyncio.Task[None]] = []
        self.topics: dict[str, Callable[[Neighbour, Any], None]] = {"desk": self.desk.heard, "came": self.desk.again}
        """What to do with what other nodes say beside their phones."""

    # --- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to tell and to hear."""
        self.fabric.listen(NODES, self._heard)
        self.fabric.listen(channel_of(self.me), self.post.heard)
        self.fabric.on_session.append(self._together)
        self.fabric.on_alone.append(self._alone)
        self.between.line.subscribe(self.between.channel(self.me))
        self.between.line.start()
        self._tasks.append(asyncio.get_running_loop().create_task(Pulse(self).run(), name="heartbeat"))
        self.desk.start()
        if self.fabric.alone:
            self._alone(True)
        else:
            self._together(None)

    async def aclose(self) -> None:
        """Say goodbye: what this node held is free at once."""
        self._cast({"bye": 1})
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.desk.aclose()
        await self.fabric.said()
        self.apart.close()
        await self.between.line.aclose()

    # --- what the node asks ------------------------------------------------------------------------------------------

    @property
    def joined(self) -> bool:
        """Whether this node has met the others and the desk: no phone should come before.

        Once it has, it stays so: when another node comes, or the desk's dies, phones need the ones that are left.
        """
        met = self.desk.known and self.between.line.ready and all(each.known for each in self.nodes.values())
        self._joined = self._joined or self.fabric.alone or met
        return self._joined

    def take_over(self, known: Phone, phone: Phone, resumed: bool) -> None:
        """A phone of another node came to this one."""
        if isinstance(known, FarPhone):
            moving.take_over(self, self.desk, known, phone, resumed=resumed)

    def placed(self, phone: FarPhone, before: Iterable[GroupId], after: Iterable[GroupId]) -> None:
        """A phone of another node hears other groups now, or none."""
        self.abroad.placed(phone, before, after)

    # --- what the node tells -----------------------------------------------------------------------------------------

    def follow(self, group: GroupId) -> None:
        """This node hears a group from now on."""
        self._cast({"follow": [group]})

    def unfollow(self, group: GroupId) -> None:
        """It hears it no more."""
        self._cast({"unfollow": [group]})

    def tell(self, phone: Phone) -> None:
        """A phone of this node is different, or gone."""
        self._own.changed(phone)
        self.flush_soon()

    def order(self, to: Neighbour, what: dict[str, Any], blob: bytes) -> None:
        """Let another node do something, in order; the same bytes for many phones travel once."""
        if self._orders:
            last_to, last_what, last_blob = self._orders[-1]
            if last_to is to and last_blob is blob and what["do"] == "write" and last_what[0]["do"] == "write":
                last_what.append(what)
                return
        self._orders.append((to, [what], blob))
        self.flush_soon()

    def flush_soon(self) -> None:
        """What is to be told goes out at the end of this turn of the loop: phones, the desk's state, then orders."""
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def say(self, topic: str, value: Any) -> None:
        """To all, now."""
        self._cast({"topic": topic, "value": value})

    def say_directory(self) -> None:
        """This node holds other people or groups than before."""
        self._cast({"directory": self.directory_version()})

    # --- private: telling --------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        self._flushing = False
        self._own.tell()
        self.desk.tell()
        orders, self._orders = self._orders, []
        for to, what, blob in orders:
            self.post.send(to, what, blob)

    def _cast(self, content: dict[str, Any]) -> None:
        self._number += 1
        content |= {"node": self.me, "number": self._number}
        self.fabric.cast(NODES, json.dumps(content, separators=(",", ":")).encode())

    async def _tell_all(self) -> None:
        """Everything, in pieces."""
        own, version = self._own.keys(), self.directory_version()
        groups, hears = list(self.node.talkgroups), self.apart.hears
        self._cast({"whole": own, "follow": groups, "url": self._url, "directory": version, "hears": hears})
        self.on_told_all()
        await self._own.tell_again(own)
        self.desk.tell_all()

    def beat(self) -> None:
        """Say that this node lives, and look after what no message tells."""
        if not self.fabric.alone:
            version = self.directory_version()
            self._cast({"beat": 1, "draining": self.node.draining, "orders": self.post.sent(), "directory": version})
        self._look_after_phones(loop_time())
        self._joined = self.joined
        self._orphans.look()
        self.gathering.look(loop_time(), self.fabric.now())

    async def hearing(self, nodes: Iterable[Neighbour]) -> set[str]:
        """Those of ``nodes`` that have a connection with Redis, of either kind. Raises `Unavailable`."""
        voice = {each.id: self.between.channel(each.id).decode() for each in nodes}
        return await self.fabric.hearing({channel_of(each): each for each in voice}, {v: k for k, v in voice.items()})

    def _look_after_phones(self, now: float) -> None:
        for phone in self._own.told_otherwise(now):
            self.tell(phone)
        for lost in self.abroad.gone(now):
            self._gone(lost)

    # --- private: hearing --------------------------------------------------------------------------------------------

    def _heard(self, message: bytes) -> None:
        said = json.loads(message)
        if said["node"] == self.me:
            return
        neighbour = self.nodes.get(said["node"])
        if "bye" in said:
            if neighbour is not None:
                self.dead(neighbour, "bye")
            return
        if neighbour is None:
            # Numbers of orders grow even where this node had given that one up and begins anew.
            neighbour = self.nodes[said["node"]] = Neighbour(said["node"], 0.0, sent=self.fabric.now())
            log.info("node_came", node=neighbour.id)
        if said.get("ask") in ("", self.me):
            self._spawn(self._tell_all())
        if self._follows_on(neighbour, said):
            self._take(neighbour, said)

    def _follows_on(self, neighbour: Neighbour, said: dict[str, Any]) -> bool:
        """Whether nothing of what it said before was missed; else everything is asked for."""
        neighbour.heard_at = now = loop_time()
        missed = said["number"] != neighbour.number + 1
        neighbour.number = said["number"]
        if "whole" in said:
            self._whole(neighbour, said)
            return True
        if missed or not neighbour.whole:
            neighbour.whole = False
            if now - neighbour.asked_at > ASK_S:
                neighbour.asked_at = now
                self._cast({"ask": neighbour.id})
        return neighbour.whole

    def _take(self, neighbour: Neighbour, said: dict[str, Any]) -> None:
        neighbour.draining = said.get("draining", neighbour.draining)
        neighbour.hears = said.get("hears", neighbour.hears)
        if "directory" in said:
            neighbour.directory = said["directory"]
            self.on_directory(neighbour.directory)
        if "orders" in said:
            self.post.compare(neighbour, said["orders"])
        for group in said.get("follow", ()):
            self._follows(neighbour, GroupId(group), True)
        for group in said.get("unfollow", ()):
            self._follows(neighbour, GroupId(group), False)
        for key, record in said.get("phones", {}).items():
            self._phone(neighbour, key, record)
        heard = self.topics.get(said.get("topic", ""))
        if heard is not None:  # in an upgrade nodes of two versions speak with each other
            heard(neighbour, said["value"])

    def _whole(self, neighbour: Neighbour, said: dict[str, Any]) -> None:
        neighbour.whole, neighbour.url = True, said.get("url", "")
        kept = frozenset(said["whole"])
        neighbour.awaited = set(kept - neighbour.phones.keys())
        for key in [key for key in neighbour.phones if key not in kept]:
            self._phone(neighbour, key, None)
        for group in neighbour.follows - {GroupId(group) for group in said["follow"]}:
            self._follows(neighbour, group, False)

    def _follows(self, neighbour: Neighbour, group: GroupId, follows: bool) -> None:
        if follows == (group in neighbour.follows):
            return
        heard_by = self.between.heard_by
        if follows:
            neighbour.follows.add(group)
            heard_by.setdefault(group, set()).add(neighbour.id)
        else:
            neighbour.follows.discard(group)
            heard_by[group].discard(neighbour.id)
            if not heard_by[group]:
                del heard_by[group]

    def _phone(self, neighbour: Neighbour, key: str, record: dict[str, Any] | None) -> None:
        neighbour.awaited.discard(key)
        if record is None:
            phone = neighbour.phones.pop(key, None)
            if phone is not None and self.node.phones.get(key) is phone:
                self._gone(phone)
            return
        moving.take(self, self.desk, neighbour, key, record)

    def _gone(self, phone: Phone) -> None:
        """A phone of another node left for good."""
        self.node.phones.drop(phone.key)
        if isinstance(phone, FarPhone):
            self.placed(phone, phone.groups, ())
        for group in phone.groups:
            talkgroup = self.node.talkgroups.get(group)
            if talkgroup is not None:
                talkgroup.submit(Left(phone.user.id, phone.key))
        self.node.presence.changed(phone.groups)
        if self.desk.here:
            self.node.calls.gone(phone)

    def dead(self, neighbour: Neighbour, why: str) -> None:
        """A node lives no more, or cannot be reached: its floors are free, its phones may come to this one."""
        log.warning("node_dead", node=neighbour.id, why=why, phones=len(neighbour.phones))
        del self.nodes[neighbour.id]
        for group in tuple(neighbour.follows):
            self._follows(neighbour, group, False)
        self.abroad.lost(neighbour.phones.values(), loop_time())
        for phone in neighbour.phones.values():
            self.node.presence.changed(phone.groups)
        self._orphans.take_back_all()
        self.desk.died(neighbour)
        self.on_dead()

    def _together(self, _: Any) -> None:
        """A session with Redis began."""
        self.apart.session()
        self._cast({"ask": ""})
        self._spawn(self._tell_all())

    def _alone(self, alone: bool) -> None:
        if alone:
            self.apart.begin()
            for neighbour in tuple(self.nodes.values()):
                self.dead(neighbour, "alone")
        self.desk.alone(alone)
        if not alone:
            self.apart.end()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    # --- for the metrics ---------------------------------------------------------------------------------------------

    def readings(self) -> Iterable[Reading]:
        """For the metrics."""
        line = self.between.line
        yield "poc_nodes", "Nodes of this city that are seen from here, this one included", len(self.nodes) + 1
        far = sum(phone.connection is not None for each in self.nodes.values() for phone in each.phones.values())
        yield "poc_phones_elsewhere", "Phones with a socket on other nodes, as far as this one knows", far
        yield "poc_phones_sent_home_total", "Phones sent to the node that has their group", self.gathering.sent
        yield "poc_fabric_alone", "1 while phones of this node are heard on this node only", int(self.apart.now)
        yield "poc_clock_off_seconds", "This machine's own clock ahead of Redis's", self.fabric.clock_off_s()
        yield "poc_desk_here", "1 where calls and emergencies of the whole city are decided", int(self.desk.here)
        yield "poc_voice_to_nodes_total", "Voice packets sent to other nodes", line.sent
        yield "poc_voice_from_nodes_total", "Voice packets heard from other nodes", line.received
        yield "poc_voice_from_nodes_stale_total", "Voice packets of other nodes that came too late", self.between.stale
        yield "poc_voice_to_nodes_dropped_total", "Voice packets that found no way to other nodes", line.dropped
