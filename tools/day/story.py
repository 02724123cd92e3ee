"""The story, scene by scene."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Frame, Page, expect

from tests.gateway.bridged import until
from tests.support.officer import Officer
from tools.day import words
from tools.day.journal import Journal, Person, Scene, Sound, Words
from tools.day.stage import HANG_S, Stage, loudness

CODE = "E0403202607150017"
TITLE = "中山路路面塌陷"
BADGES = ("BJ-001", "BJ-002", "DH-001")
FOURTH = "DH-002"
VOICES = ("zh-report.wav", "zh-emergency.wav", "en-report.wav")
OFFICER = Words("officer, phone open", "巡查队员，手机已打开")
OTHERS = (
    (FOURTH, Words("officer, no page open yet", "巡查队员，未打开页面")),
    ("PQ-001", Words("dispatcher, at the console", "派遣员，在调度台")),
    ("LD-001", Words("leader of the city", "市领导")),
)
HOLD_S = 4.0
LOOKS_S = 1.0
"""Nobody speaks in a case sooner after his phone was taken along; a key that goes down sooner was meant for before."""
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
        scene = self.journal.scene(*words.MORNING)
        self.officers = [self.stage.officer(badge, voice) for badge, voice in zip(BADGES, VOICES, strict=True)]
        self.desks = self.stage.browser("en-order.wav")
        self.console = self.stage.desk(self.desks, "console", "PQ-001")
        people = [(officer.user["name"], OFFICER) for officer in self.officers]
        people += [(self.stage.name_of(badge), part) for badge, part in OTHERS]
        self.journal.cast = [Person(name, part) for name, part in people]
        for officer in self.officers:
            name = officer.user["name"]
            nothing = officer.page.locator(".incidents li").count() == 0
            scene.check(nothing, f"{name} sees no case", f"{name}没有看到任何案卷")
        self._screens(scene)

    def dispatched(self) -> None:
        scene = self.journal.scene(*words.DISPATCHED)
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
        scene.measured(
            max(told) <= TOLD_BAR_MS,
            f"from the case system's order to the last phone: {max(told):,.0f} ms, of {TOLD_BAR_MS:,} at most",
            f"从案卷系统派遣到最后一部手机：{max(told):,.0f} 毫秒，要求不超过 {TOLD_BAR_MS:,} 毫秒",
        )
        found = self._incident()
        people = self.both.people()
        exactly = found["members"] == sorted(people[badge] for badge in BADGES)
        scene.check(exactly, "the group has exactly the three officers", "组里恰好是这三名队员")
        scene.check(found["address"] == "open", "the group is open: they may talk", "对讲组已开通，可以讲话")
        for officer in self.officers:
            expect(officer.page.locator(f'.incidents li[data-code="{CODE}"]')).to_be_visible()
        self._screens(scene)
        asked = Words("What the case system sent", "案卷系统发来的内容")
        scene.text(asked, json.dumps(case, ensure_ascii=False, indent=1))

    def talk(self) -> None:
        scene = self.journal.scene(*words.TALK)
        time.sleep(LOOKS_S)
        for talker in self.officers:
            others = [officer for officer in self.officers if officer is not talker]
            self._speak(talker, scene, others)
        bursts = self.stage.wait_events(CODE, "burst.recorded", 3)
        said = {self._name(event["data"]["user"]) for event in bursts}
        scene.check(
            len(said) == 3,
            f"the case system was told of {len(bursts)} recorded bursts, of {', '.join(sorted(said))}",
            f"案卷系统收到 {len(bursts)} 段录音：{'、'.join(sorted(said))}",
        )
        linked = all(event["data"]["recording"]["url"] for event in bursts)
        scene.check(linked, "each with a link to its audio", "每段都带录音链接")

    def another(self) -> None:
        scene = self.journal.scene(*words.ANOTHER)
        self._tell({"code": CODE, "parties": [{"kind": "user", "id": badge} for badge in (*BADGES, FOURTH)]})
        until("the message was sent", self.stage.messages, 30)
        message = self.stage.messages()[0]
        to, text = message["to"], message["text"]
        scene.check(TITLE in text, f"text message to {to}: {text}", f"短信发给{to}：{text}")
        until("he is a member", lambda: len(self._incident()["members"]) == 4, 15)
        people = self.both.people()
        exactly = self._incident()["members"] == sorted(people[badge] for badge in (*BADGES, FOURTH))
        scene.check(exactly, "the group has exactly these four now", "组里现在恰好是这四人")
        helper = self.stage.officer(FOURTH, VOICES[0])
        expect(helper.page.locator(f'.incidents li[data-code="{CODE}"]')).to_be_visible()
        scene.check(True, "the page that is opened shows the case", "打开的页面显示了案卷")
        self._screen(scene, helper)
        helper.page.context.close()

    def emergency(self) -> None:
        scene = self.journal.scene(*words.EMERGENCY)
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
        scene.check(True, "the console shows who, and in which case's group", "调度台显示是谁、在哪个案卷的组里")
        scene.picture(Words("The dispatcher's console rings", "调度台响铃"), self.console.screenshot(), wide=True)

    def leader(self) -> None:
        scene = self.journal.scene(*words.LEADER)
        page = self.stage.desk(self.desks, "leader", "LD-001")
        page.locator("button.emergency").click()
        page.locator('[data-face="idle"]').wait_for()
        for officer in self.officers:
            expect(officer.page.locator(".brought", has_text="紧急呼叫")).to_be_visible()
        scene.check(True, "all three phones were brought into his call", "三部手机都被拉入他的呼叫")

        def heard() -> None:
            for officer in self.officers:
                officer.face("taken")
            scene.picture(Words("The leader speaks", "领导讲话"), page.screenshot(), wide=True)
            self._screens(scene)

        self._hold(page, heard)
        page.locator("button.end").click()
        for officer in self.officers:
            expect(officer.page.locator(".brought", has_text="紧急呼叫")).to_have_count(0)
        page.context.close()

    def claimed(self) -> None:
        scene = self.journal.scene(*words.CLAIMED)
        officer, alert = self.officers[1], self.console.locator(".alert")
        alert.locator("button.primary").click()
        expect(self.console.locator('.alert[data-state="claimed"]')).to_be_visible()
        expect(officer.page.locator(".sos-word")).to_be_visible()
        name = officer.user["name"]
        scene.picture(Words(f"{name} sees who took it", f"{name}看到是谁接警"), officer.page.screenshot())
        alert.locator("button.primary").click()
        expect(self.console.locator('.alert[data-state="acknowledged"]')).to_be_visible()
        for _ in range(2):  # asked once more
            alert.locator(".acts button").first.click()
        expect(alert).to_have_count(0)
        expect(officer.page.locator(".sos-word")).to_have_count(0)
        told = self.stage.wait_events(CODE, "emergency", 4)
        steps = ", ".join(event["data"]["state"] for event in told)
        scene.check(True, f"the case knows: {steps}", f"案卷已知：{steps}")
        for each in self.officers:
            each.face("idle")

    def photo(self) -> None:
        scene = self.journal.scene(*words.PHOTO)
        officer = self.officers[0]
        content = bytes(officer.page.evaluate(PHOTO))
        picture = {"name": "road.jpg", "mimeType": "image/jpeg", "buffer": content}
        officer.page.locator(".camera input").set_input_files(picture)  # type: ignore[arg-type]
        officer.page.locator('.camera[data-state="sent"]').wait_for(timeout=10_000)
        event = self.stage.wait_events(CODE, "photo", 1)[0]
        fetched = self.stage.fetched(event["data"]["photo"]["url"])
        scene.check(
            fetched[:3] == b"\xff\xd8\xff",
            f"the case system fetched it by its link: {len(fetched):,} bytes of JPEG",
            f"案卷系统凭链接取得照片：{len(fetched):,} 字节",
        )
        digest = hashlib.sha256(fetched).hexdigest()
        scene.check(
            digest == event["data"]["sha256"],
            f"its SHA-256 is the one the phone announced: {digest[:16]}…",
            f"SHA-256 与手机所报一致：{digest[:16]}…",
        )
        self._screen(scene, officer)
        drawn = Words("The photo (drawn: this browser has no camera)", "照片（此浏览器没有摄像头，由程序绘制）")
        scene.picture(drawn, fetched, kind="image/jpeg")

    def reports(self) -> None:
        scene = self.journal.scene(*words.REPORTS)
        officer = self.officers[2]
        for count in range(1, 5):
            officer.page.locator(f'.incidents li[data-code="{CODE}"] .tap').click()
            until("the tap is kept", lambda count=count: len(self._taps()) == count, 15)
        scene.check(
            self._taps() == ["officer.accepted", "officer.on_the_way", "officer.on_scene", "officer.done"],
            "accepted, on the way, on scene, done: each once, in this order",
            "接受、在路上、到场、处置完毕：各一次，次序不乱",
        )
        self._screen(scene, officer)
        self.console.get_by_role("tab", name="案件").click()
        self.console.locator('.cases [data-urgent="true"] .case').click()
        expect(self.console.locator(".crew")).to_contain_text("已处置")
        self.console.locator(".written button").click()
        expect(self.console.locator(".written .none")).to_be_visible()  # nobody wrote anything, and he may see that
        scene.check(
            True, "the console shows it at the case, with all that was said", "调度台在案卷上显示，并有全部语音"
        )
        self.console.locator(".case-detail").evaluate("detail => detail.scrollIntoView()")
        scene.picture(Words("The case on the console", "调度台上的案卷"), self.console.screenshot(), wide=True)

    def closed(self) -> None:
        scene = self.journal.scene(*words.closed(HANG_S))
        self._tell({"code": CODE, "step": "feed_back"})
        self._tell({"code": CODE, "step": "close"})
        until("the group is closing", lambda: self._incident()["address"] == "closing", 15)
        scene.check(
            True, "closed in the case system: the group is closing, words may still be finished", "已结案：话还可以说完"
        )
        self.stage.wait_events(CODE, "group.closed", 1)
        frozen = self._incident()["address"] == "frozen"
        scene.check(frozen, "after the hang time the group is frozen", "时限过后，对讲组已冻结")
        for officer in self.officers:
            expect(officer.page.locator(".incidents li")).to_have_count(0)
            expect(officer.page.locator("button.group")).to_contain_text("巡查组")
            expect(officer.page.locator(".left[data-why=closed]")).to_contain_text(TITLE)
            officer.face("idle")
        scene.check(
            True,
            "every phone is back in the channel it came from, and says why",
            "每部手机都回到原来的频道，并说明原因",
        )
        self._screens(scene)

    def log(self) -> None:
        scene = self.journal.scene(*words.LOG)
        events = [event for event in self.both.told()["received"] if event["subject"] == CODE]
        numbers = sorted({int(event["sequence"]) for event in events})
        self.journal.events = len(numbers)
        whole = numbers == list(range(1, len(numbers) + 1))
        scene.check(whole, f"{len(numbers)} events, numbered without a gap", f"{len(numbers)} 个事件，编号无缺")
        for event in self.stage.events(CODE, "burst.recorded"):
            recording = event["data"]["recording"]
            audio = self.stage.fetched(recording["url"])
            seconds = recording["duration_ms"] / 1000
            name = self._name(event["data"]["user"])
            scene.check(
                audio[:4] == b"OggS" and seconds > 1,
                f"{name}: {seconds:.1f} s of voice, {len(audio):,} bytes",
                f"{name}：语音 {seconds:.1f} 秒，{len(audio):,} 字节",
            )
            at = event["data"]["started_ms"] / 1000
            self.journal.sounds.append(Sound(name, at, seconds, audio, loudness(audio)))
        self.journal.sounds.sort(key=lambda sound: sound.at)
        page, log = self._log_page()
        played = log.evaluate(
            """async () => { const a = document.querySelector('audio'); a.muted = true; await a.play();
               await new Promise(done => setTimeout(done, 1500)); return [a.currentTime, a.duration]; }"""
        )
        scene.check(
            played[0] > 0.5,
            f"a browser plays it in the case system's own page: {played[0]:.1f} of {played[1]:.1f} s so far",
            f"浏览器在案卷系统的页面内播放：已到 {played[0]:.1f} / {played[1]:.1f} 秒",
        )
        embedded = Words("The log, as a case system embeds it", "供案卷系统嵌入的语音记录")
        scene.picture(embedded, page.screenshot(full_page=True), wide=True)
        burst = next(event for event in events if event["type"].endswith("burst.recorded"))
        received = Words("One event as the case system received it", "案卷系统收到的一个事件")
        scene.text(received, json.dumps(burst, ensure_ascii=False, indent=1))

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
        return self.stage.names().get(user, user)

    def _speak(self, talker: Officer, scene: Scene, others: list[Officer]) -> None:
        talker.key_down()
        talker.face("talking")
        for other in others:
            other.face("taken")
            expect(other.page.locator(".page")).to_contain_text(talker.user["name"])
        time.sleep(HOLD_S)  # so long he speaks
        name, other = talker.user["name"], others[0].user["name"]
        scene.picture(Words(f"{name} talks", f"{name}讲话"), talker.page.screenshot())
        scene.picture(Words(f"{other} hears him", f"{other}收听"), others[0].page.screenshot())
        talker.key_up()
        for officer in self.officers:
            officer.face("idle")
        scene.check(
            True, f"{name} talked; both others heard it, and saw who it is", f"{name}讲话，另两人听到并看到是谁"
        )

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
            self._screen(scene, officer)

    def _screen(self, scene: Scene, officer: Officer) -> None:
        name = str(officer.user["name"])
        scene.picture(Words(name, name), officer.page.screenshot())

    def _log_page(self) -> tuple[Page, Frame]:
        """The case system's page, and the log in its frame."""
        status, link = self.both.poc("POST", f"/incidents/{CODE}/log-link")
        assert status == 200
        page = self.desks.new_context(viewport={"width": 760, "height": 700}, locale="zh-CN").new_page()
        page.goto(f"{self.both.case_url}/case?{urlencode({'log': link['url']})}")
        frame = page.frame_locator("iframe")
        frame.locator("audio").first.wait_for()
        frame.locator("img").evaluate("img => { img.loading = 'eager'; return img.decode(); }")
        height = frame.locator("html").evaluate("html => html.scrollHeight")
        page.locator("iframe").evaluate("(frame, height) => { frame.style.height = `${height + 8}px`; }", height)
        return page, page.frames[1]
