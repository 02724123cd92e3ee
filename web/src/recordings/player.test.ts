import { expect, test } from "vitest";
import { Player, type Sound, type Speaker, Unplayable } from "./player";

class Loud implements Speaker {
  src = "";
  currentTime = 0;
  playbackRate = 1;
  onended: Speaker["onended"] = null;
  onerror: Speaker["onerror"] = null;
  said: string[] = [];
  async play() {
    this.said.push("play");
  }
  pause() {
    this.said.push("pause");
  }
  end() {
    this.currentTime = 2;
    this.onended?.call(this as never, new Event("ended"));
  }
  fail() {
    (this.onerror as () => void)();
  }
}

const sound = (id: string): Sound => ({ id, load: async () => new Blob([id]) });
const settled = () => new Promise((done) => setTimeout(done));

test("one after the other, each told when it was heard to its end; what cannot be played is passed over", async () => {
  const speaker = new Loud();
  const player = new Player(speaker);
  const heard: [string, number][] = [];
  const all = player.play(
    [sound("a"), { id: "gone", load: () => Promise.reject() }, sound("b"), sound("c")],
    {
      heard: (id, seconds) => heard.push([id, seconds]),
    },
  );
  await settled();
  expect(player.playing.value).toBe("a");
  speaker.end();
  await settled();
  expect(player.playing.value).toBe("b");
  speaker.fail();
  await settled();
  speaker.end();
  await all;
  expect(heard).toEqual([
    ["a", 2],
    ["c", 2],
  ]);
  expect(player.playing.value).toBeNull();
});

test("why one could not be heard is known until the next order, of the key that asked or of itself", async () => {
  const speaker = new Loud();
  const player = new Player(speaker);
  const all = player.play([{ id: "gone", load: () => Promise.reject("unavailable") }, sound("a")]);
  await settled();
  speaker.end();
  await all;
  expect(player.failed.value).toEqual({ of: "gone", why: "unavailable" });
  const again = player.play([sound("a")], { by: "key" });
  expect(player.failed.value).toBeNull();
  await settled();
  speaker.fail();
  await again;
  expect(player.failed.value).toMatchObject({ of: "key", why: expect.any(Unplayable) });
});

test("where nothing can be had nothing more is asked for", async () => {
  const player = new Player(new Loud(), (why) => why === "disk");
  let asked = 0;
  const load = () => {
    asked += 1;
    return Promise.reject(asked === 1 ? "gone" : "disk");
  };
  expect(await player.play(["a", "b", "c"].map((id) => ({ id, load })))).toBe(true);
  expect([asked, player.failed.value, player.playing.value]).toEqual([2, { of: "b", why: "disk" }, null]);
});

test("faster, while it plays and for what follows", async () => {
  const speaker = new Loud();
  const player = new Player(speaker);
  void player.play([sound("a"), sound("b")]);
  await settled();
  player.faster();
  expect(speaker.playbackRate).toBe(1.5);
  player.faster();
  speaker.playbackRate = 1;
  speaker.end();
  await settled();
  expect(speaker.playbackRate).toBe(2);
  player.faster();
  expect(player.rate.value).toBe(1);
});

test("waits while somebody speaks and goes on after; what does not yield waits only for one's own key", async () => {
  const speaker = new Loud();
  const player = new Player(speaker);
  player.surroundings({ talking: false, live: true });
  void player.play([sound("a")], { yields: true });
  await settled();
  expect(speaker.said).not.toContain("play");
  player.surroundings({ talking: false, live: false });
  expect(speaker.said.at(-1)).toBe("play");
  player.surroundings({ talking: true, live: false });
  expect(speaker.said.at(-1)).toBe("pause");
  void player.play([sound("a")]);
  player.surroundings({ talking: false, live: true });
  await settled();
  expect(speaker.said.at(-1)).toBe("play");
});

test("stopped it is silent, also when it was still being fetched", async () => {
  const speaker = new Loud();
  const player = new Player(speaker);
  let loaded: (content: Blob) => void = () => undefined;
  const done = player.play([{ id: "a", load: () => new Promise((ready) => (loaded = ready)) }]);
  player.stop();
  loaded(new Blob());
  await done;
  expect(speaker.said).not.toContain("play");
});
