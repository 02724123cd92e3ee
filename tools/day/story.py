"""The story, scene by scene."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.gateway.bridged import until
from tests.support.officer import Officer
from tools.day.journal import Journal, Scene, Sound
from tools.day.stage import HANG_S, Stage

CODE = "E0403202607150017"
TITLE = "中山路路面塌陷"
BADGES = ("BJ-001", "BJ-002", "DH-001")
FOURTH = "DH-002"
VOICES = ("zh-report.wav", "zh-emergency.wav", "en-report.wav")
HOLD_S = 4.0
TOLD_BAR_MS = 1_000
PHOTO = """() => { const c = new OffscreenCanvas(1280, 960), g = c.getContext('2d');
 g.fillStyle = '#8d8a80'; g.fillRect(0, 0, 1280, 960); g.fillStyle = '#3a352e';
 g.beginPath(); g.ellipse(640, 540, 380, 210, 0.2, 0, 7); g.fill(); g.fillStyle = '#15120e';
 g.beginPath(); g.ellipse(650, 560, 300, 150, 0.2, 0, 7); g.fill(); g.fillStyle = '#ffcf33';
 for (let i = 0; i < 6; i++) g.fillRect(90 + i * 200, 790, 110, 26);
 return c.convertToBlob({type: 'image/jpeg'}).then(b => b.arrayBuffer()).then(b => [...new Uint8Array(b)]); }"""


class Day:
    """Plays the scenes in order on one stage."""

    def __init__(self, stage: Stage, journal: Journal) -> None:
        self.stage, self.both, self.journal = stage, stage.both, journal
        self.officers: list[Officer] = []
        self.version = 0

    def play(self) -> None:
        for scene in (
            self.morning,
            self.dispatched,
            self.talk,
            self.another,
            self.emergency,
            self.leader,
            self.claimed,
            self.photo,
            self.reports,
            self.closed,
            self.log,
        ):
            scene()

    # --- scenes ------------------------------------------------------------------------------------------------------

    def morning(self) -> None:
        scene = self.journal.scene(
            "Morning",
            "Three officers of two patrols have their phones open, each in the channel of the own patrol. A "
            "dispatcher sits at the console. No case concerns them yet.",
        )
        self.officers = [self.stage.officer(badge, voice) for badge, voice in zip(BADGES, VOICES, strict=True)]
        self.desks = self.stage.browser("en-order.wav")
        self.console = self.stage.desk(self.desks, "console", "PQ-001")
        for officer in self.officers:
            scene.check(officer.page.locator(".incidents li").count() == 0, f"{officer.user['name']} sees no incident")
        self._screens(scene)

    def dispatched(self) -> None:
        scene = self.journal.scene(
            "A case is dispatched",
            "The road has sunk in. In the case system a dispatcher sends the case to the three officers; it is "
            "urgent. The case system tells this server by one HTTP request, and the case's talk group is there: a "
            "rule says that an urgent case takes the phones with it, where that disturbs nobody.",
        )
        parties = [{"kind": "user", "id": badge} for badge in BADGES]
        case = {
            "code": CODE,
            "put": True,
            "title": TITLE,
            "kind": "event",
            "major": "04",
            "minor": "03",
            "level": "I",
            "address": "中山路与解放路路口",
            "description": "路面塌陷约两平方米，有车辆受困",
            "point": {"lon": 116.39759, "lat": 39.908776, "datum": "GCJ-02"},
            "urgent": True,
            "step": "dispatch",
            "parties": parties,
            "limits": [{"stage": "dispatch", "allowed_ms": 1_800_000}],
        }
        sent = time.time() * 1000
        self._tell(case)
        for officer in self.officers:
            officer.wait_for("switched", 1, 10_000)
            expect(officer.page.locator(".switched")).to_contain_text(TITLE)
        told = [officer.events("switched")[0]["t"] - sent for officer in self.officers]
        scene.check(max(told) <= TOLD_BAR_MS, f"from the case system's order to the last phone: {max(told):.0f} ms")
        found = self._incident()
        people = self.both.people()
        scene.check(
            found["members"] == sorted(people[badge] for badge in BADGES), "the group has exactly the three officers"
        )
        scene.check(found["address"] == "open", "its address is open")
        for officer in self.officers:
            expect(officer.page.locator(f'.incidents li[data-code="{CODE}"]')).to_be_visible()
        self._screens(scene)
        scene.text("What the case system sent", json.dumps(case, ensure_ascii=False, indent=1))

    def talk(self) -> None:
        scene = self.journal.scene(
            "They talk in the case's group",
            "Each of the three holds the key and speaks; the others hear it. Every burst is recorded, and its event"
            " goes out to the case system, signed, with a link to the audio.",
        )
        for talker in self.officers:
            others = [officer for officer in self.officers if officer is not talker]
            self._speak(talker, scene, others)
        bursts = self.stage.wait_events(CODE, "burst.recorded", 3)
        said = {self._name(event["data"]["user"]) for event in bursts}
        scene.check(
            len(said) == 3, f"the case system was told of {len(bursts)} recorded bursts, of {'、'.join(sorted(said))}"
        )
        scene.check(all(event["data"]["recording"]["url"] for event in bursts), "each with a link to its audio")

    def another(self) -> None:
        scene = self.journal.scene(
            "A fourth is sent too",
            "The case is dispatched again, to one more, who has no page open: a text message tells him (the gateway"
            " is the operator's own). He opens the page, and the case is there.",
        )
        self._tell({"code": CODE, "parties": [{"kind": "user", "id": badge} for badge in (*BADGES, FOURTH)]})
        until("the message was sent", self.stage.messages, 30)
        message = self.stage.messages()[0]
        scene.check(TITLE in message["text"], f"text message to {message['to']}: {message['text']}")
        until("he is a member", lambda: len(self._incident()["members"]) == 4, 15)
        scene.check(True, "he is a member of the case's group now, and nobody else is")
        helper = self.stage.officer(FOURTH, VOICES[0])
        expect(helper.page.locator(f'.incidents li[data-code="{CODE}"]')).to_be_visible()
        scene.check(True, "his page shows the case first")
        scene.picture(str(helper.user["name"]), helper.page.screenshot())
        helper.page.context.close()

    def emergency(self) -> None:
        scene = self.journal.scene(
            "One is in danger",
            "The edge gives way. One officer holds the SOS key: his microphone opens at once for all in the case's "
            "group and for the dispatcher, whose console rings.",
        )
        officer = self.officers[1]
        key = officer.page.locator(".sos-key").bounding_box()
        assert key is not None
        officer.page.mouse.move(key["x"] + key["width"] / 2, key["y"] + key["height"] / 2)
        officer.page.mouse.down()
        officer.wait_for("sos_confirmed", 1, 10_000)
        officer.page.mouse.up()
        alert = self.console.locator(".alert")
        expect(alert).to_contain_text(officer.user["name"])
        expect(alert).to_contain_text(TITLE)
        scene.check(True, "the console shows who, and in which case's group")
        scene.picture("The dispatcher's console", self.console.screenshot(), wide=True)

    def leader(self) -> None:
        scene = self.journal.scene(
            "The leader cuts in",
            "A leader of the city speaks to everybody over whatever else goes on: one press on his page, and all "
            "phones hear him, whatever channel they are in.",
        )
        page = self.stage.desk(self.desks, "leader", "LD-001")
        page.locator("button.emergency").click()
        page.locator('[data-face="idle"]').wait_for()
        for officer in self.officers:
            expect(officer.page.locator(".brought", has_text="紧急呼叫")).to_be_visible()
        scene.check(True, "all three phones were brought into his call")
        self._hold(page, lambda: [officer.face("taken") for officer in self.officers])
        scene.picture("The leader's page", page.screenshot(), wide=True)
        self._screens(scene)
        page.locator("button.end").click()
        for officer in self.officers:
            expect(officer.page.locator(".brought", has_text="紧急呼叫")).to_have_count(0)
        page.context.close()

    def claimed(self) -> None:
        scene = self.journal.scene(
            "The dispatcher takes the alert",
            "His console has been ringing. He takes the alert, and the officer sees who did; help is with him, and the"
            " alert is closed.",
        )
        officer, alert = self.officers[1], self.console.locator(".alert")
        alert.locator("button.primary").click()
        expect(self.console.locator('.alert[data-state="claimed"]')).to_be_visible()
        expect(officer.page.locator(".sos-word")).to_be_visible()
        scene.picture(officer.user["name"], officer.page.screenshot())
        alert.locator("button.primary").click()
        expect(self.console.locator('.alert[data-state="acknowledged"]')).to_be_visible()
        alert.locator(".acts button").first.click()
        expect(alert).to_have_count(0)
        expect(officer.page.locator(".sos-word")).to_have_count(0)
        told = self.stage.wait_events(CODE, "emergency", 2)
        scene.check(True, f"the case knows: {'、'.join(event['data']['state'] for event in told)}")
        for each in self.officers:
            each.face("idle")

    def photo(self) -> None:
        scene = self.journal.scene(
            "A photo goes into the case",
            "An officer takes a photo. It is made smaller on the phone and goes into the case.",
        )
        officer = self.officers[0]
        content = bytes(officer.page.evaluate(PHOTO))
        picture = {"name": "road.jpg", "mimeType": "image/jpeg", "buffer": content}
        officer.page.locator(".camera input").set_input_files(picture)  # type: ignore[arg-type]
        officer.page.locator('.camera[data-state="sent"]').wait_for(timeout=10_000)
        event = self.stage.wait_events(CODE, "photo", 1)[0]
        fetched = self.stage.fetched(event["data"]["photo"]["url"])
        scene.check(
            fetched[:3] == b"\xff\xd8\xff", f"the case system fetched it by its link: {len(fetched):,} bytes of JPEG"
        )
        scene.picture(officer.user["name"], officer.page.screenshot())

    def reports(self) -> None:
        scene = self.journal.scene(
            "Accepted, on the way, on scene, done",
            "One tap each; the case system is told of every one, in order, and the dispatcher sees it at the case.",
        )
        officer = self.officers[2]
        for count in range(1, 5):
            officer.page.locator(f'.incidents li[data-code="{CODE}"] .tap').click()
            until("the tap is kept", lambda count=count: len(self._taps()) == count, 15)
        scene.check(
            self._taps() == ["officer.accepted", "officer.on_the_way", "officer.on_scene", "officer.done"],
            "accepted, on the way, on scene, done: each once, in this order",
        )
        scene.picture(officer.user["name"], officer.page.screenshot())
        self.console.get_by_role("tab", name="案件").click()
        self.console.locator('.cases [data-urgent="true"] .case').click()
        expect(self.console.locator(".crew")).to_contain_text("已处置")
        scene.check(True, "the console shows it at the case, with all that was said")
        scene.picture("The case on the dispatcher's console", self.console.screenshot(), wide=True)

    def closed(self) -> None:
        scene = self.journal.scene(
            "The case is closed",
            "The department reports back and the centre closes the case. Talk may end within a hang time (here "
            f"{HANG_S} seconds, ten minutes by default); then the group freezes: it can be read, and nobody talks "
            "there again.",
        )
        self._tell({"code": CODE, "step": "feed_back"})
        self._tell({"code": CODE, "step": "close"})
        until("the group is closing", lambda: self._incident()["address"] == "closing", 15)
        scene.check(True, "closed in the case system: the group is closing, words may still be finished")
        self.stage.wait_events(CODE, "group.closed", 1)
        scene.check(self._incident()["address"] == "frozen", "after the hang time the group is frozen")
        for officer in self.officers:
            expect(officer.page.locator(".incidents li")).to_have_count(0)
            expect(officer.page.locator("button.group")).to_contain_text("巡查组")
            officer.face("idle")
        scene.check(True, "every phone is back in the channel it came from")
        self._screens(scene)

    def log(self) -> None:
        scene = self.journal.scene(
            "The case holds what was said",
            "Evening, in the case system: every event in order, and the voices to be played. The page below is made"
            " by this server for a case system to embed; its link is signed and ends by itself.",
        )
        events = [event for event in self.both.told()["received"] if event["subject"] == CODE]
        numbers = sorted({int(event["sequence"]) for event in events})
        scene.check(numbers == list(range(1, len(numbers) + 1)), f"{len(numbers)} events, numbered without a gap")
        for event in self.stage.events(CODE, "burst.recorded"):
            recording = event["data"]["recording"]
            audio = self.stage.fetched(recording["url"])
            seconds = recording["duration_ms"] / 1000
            name = self._name(event["data"]["user"])
            scene.check(audio[:4] == b"OggS" and seconds > 1, f"{name}: {seconds:.1f} s of voice, {len(audio):,} bytes")
            scene.sounds.append(Sound(f"{name}, {seconds:.1f} s", audio))
        page = self._log_page()
        played = page.evaluate(
            """async () => { const a = document.querySelector('audio'); a.muted = true; await a.play();
               await new Promise(done => setTimeout(done, 1500)); return [a.currentTime, a.duration]; }"""
        )
        scene.check(played[0] > 0.5, f"a browser plays it from the page: {played[0]:.1f} of {played[1]:.1f} s so far")
        scene.picture("The log, as a case system embeds it", page.screenshot(full_page=True), wide=True)
        scene.text("One event as the case system received it", json.dumps(events[-1], ensure_ascii=False, indent=1))

    # --- helpers -----------------------------------------------------------------------------------------------------

    def _tell(self, news: dict[str, Any]) -> None:
        self.version += 1
        self.both.control(tell=[{**news, "version": self.version, "at": int(time.time() * 1000)}])
        until("the case system told it", lambda: self.both.told()["left"] == 0, 20)
        assert self.both.told()["refused"] == []

    def _incident(self) -> dict[str, Any]:
        status, found = self.both.poc("GET", f"/incidents/{CODE}")
        assert status == 200
        return found  # type: ignore[no-any-return]

    def _taps(self) -> list[str]:
        received = self.both.told()["received"]
        kinds = [str(event["type"]).removeprefix("poc.incident.") for event in received if event["subject"] == CODE]
        return list(dict.fromkeys(kind for kind in kinds if kind.startswith("officer.")))

    def _name(self, user: str) -> str:
        return next((str(each.user["name"]) for each in self.officers if each.user["id"] == user), user)

    def _speak(self, talker: Officer, scene: Scene, others: list[Officer]) -> None:
        talker.key_down()
        talker.face("talking")
        for other in others:
            other.face("taken")
            expect(other.page.locator(".page")).to_contain_text(talker.user["name"])
        time.sleep(HOLD_S)  # so long he speaks
        scene.picture(f"{talker.user['name']} talks", talker.page.screenshot())
        scene.picture(f"{others[0].user['name']} hears him", others[0].page.screenshot())
        talker.key_up()
        for officer in self.officers:
            officer.face("idle")
        scene.check(True, f"{talker.user['name']} talked; both others heard who it is")

    def _hold(self, page: Page, meanwhile: Callable[[], Any]) -> None:
        box = page.locator("button.talk").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        meanwhile()
        time.sleep(HOLD_S / 2)
        page.mouse.up()
        page.locator('[data-face="idle"]').wait_for()

    def _screens(self, scene: Scene) -> None:
        for officer in self.officers:
            scene.picture(str(officer.user["name"]), officer.page.screenshot())

    def _log_page(self) -> Page:
        status, link = self.both.poc("POST", f"/incidents/{CODE}/log-link")
        assert status == 200
        page = self.desks.new_context(viewport={"width": 760, "height": 700}, locale="zh-CN").new_page()
        page.goto(link["url"])
        return page
