import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Floors } from "../floor/several";
import type { ClientMessage } from "../wire/protocol";
import { HOLDS_ON_MS, OPENS_WITHIN_MS, Pressing } from "./pressing";

vi.stubGlobal("window", globalThis);

function phone() {
  const sent: ClientMessage[] = [];
  const blocked = signal(false);
  const unseen = signal(false);
  const floors = new Floors({
    urge: (message) => sent.push(message) > 0,
    voice: { open: () => undefined, silence: () => undefined, detach: async () => undefined },
    tone: () => undefined,
    muteSlots: () => undefined,
  });
  floors.feed({ type: "link", state: "up" });
  floors.feed({ type: "group", group: "east", yours: "none" });
  const key = new Pressing(floors, {
    blocked: () => blocked.value,
    unseen: () => unseen.value,
    covert: signal(true),
  });
  let burst = 6;
  /** Grants what was asked for last; returns in which group that was. */
  const grant = () => {
    const asked = sent.filter((each) => each.type === "floor_request").at(-1);
    if (asked?.type !== "floor_request") throw new Error("nothing was asked for");
    const { id, group } = asked;
    burst += 1;
    floors.received({ type: "floor_granted", id, group, burst, duration_ms: 30_000 });
    return group;
  };
  const has = () => {
    const { phase, group } = floors.state.value;
    return phase.name === "has_permission" ? group : null;
  };
  /** Answers the release that is under way, once the microphone has been closed. */
  const released = async () => {
    await vi.advanceTimersByTimeAsync(1_000);
    const release = sent.filter((each) => each.type === "floor_release").at(-1);
    if (release) floors.received({ type: "ok", id: release.id });
  };
  return { key, floors, blocked, unseen, sent, grant, has, released, held: () => floors.state.value.held };
}

function talking(begin: (key: Pressing) => void) {
  const made = phone();
  begin(made.key);
  made.grant();
  return made;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a telephone call that takes the microphone gives the floor back", () => {
  const { key, held } = talking((key) => key.press(0));
  expect(held()).toBe(true);
  key.microphone("lost");
  expect(held()).toBe(false);
});

test.each(["refused", "missing", "unsupported"] as const)(
  "so does a headset that is pulled when the next microphone is %s",
  (state) => {
    const { key, held } = talking((key) => key.press(0));
    key.microphone("starting");
    key.microphone(state);
    expect(held()).toBe(false);
  },
);

test("a headset that is pulled does not, while another microphone is being opened", () => {
  const { key, held } = talking((key) => key.press(0));
  key.microphone("starting");
  key.microphone("warm");
  expect(held()).toBe(true);
});

test("what was opened for a while stays open: the microphone may come back", () => {
  const { key, held } = talking((key) => key.openFor("east", 30_000));
  key.microphone("lost");
  expect(held()).toBe(true);
});

test("what was opened for a while closes by itself", async () => {
  const { key, has } = talking((key) => key.openFor("east", 10_000));
  await vi.advanceTimersByTimeAsync(9_999);
  expect([has(), key.opensIn("east"), key.opensIn("west")]).toEqual(["east", true, false]);
  expect(key.byItself.value).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect([has(), key.opensIn("east"), key.byItself.value]).toEqual([null, false, false]);
});

test("who was put into the queue with what was opened is not heard: it is asked for anew", async () => {
  const { key, floors, sent, grant, released, has } = phone();
  const end = key.openFor("east", 10_000);
  const [asked] = sent;
  if (asked?.type !== "floor_request") throw new Error("nothing was asked for");
  expect(key.opensIn("east")).toBe(true);
  floors.received({ type: "floor_queued", id: asked.id, group: "east", position: 1, size: 1 });
  expect(key.opensIn("east")).toBe(false);
  end();
  key.openFor("east", 10_000);
  await released();
  expect([grant(), has()]).toEqual(["east", "east"]);
});

test("a key that is held while it is opened goes on after that time, until it is let go", async () => {
  const { key, has } = talking((key) => key.press(0));
  key.openFor("east", 10_000);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(has()).toBe("east");
  key.lift();
  expect(has()).toBeNull();
});

test("a key that is let go meanwhile closes nothing before the time", async () => {
  const { key, has } = talking((key) => key.press(0));
  key.openFor("east", 10_000);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(key.byItself.value).toBe(false); // there is a key to let go
  key.lift();
  expect(key.byItself.value).toBe(true);
  expect(has()).toBe("east");
  await vi.advanceTimersByTimeAsync(6_000);
  expect(has()).toBeNull();
});

test("nor does a page that is hidden meanwhile: he put the phone into his pocket", async () => {
  const { key, floors, sent, grant, has } = phone();
  floors.feed({ type: "link", state: "down" });
  key.openFor("east", 10_000);
  key.lost(); // hidden before there was a network
  await vi.advanceTimersByTimeAsync(5_000);
  floors.feed({ type: "link", state: "up" });
  expect(grant()).toBe("east");
  key.lost();
  await vi.advanceTimersByTimeAsync(9_999);
  expect(has()).toBe("east");
  expect(sent.filter(({ type }) => type === "floor_release")).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(has()).toBeNull();
});

test("a hand that presses anew takes over", async () => {
  const { key, has } = talking((key) => key.openFor("east", 10_000));
  key.press(0);
  expect(key.byItself.value).toBe(false);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(has()).toBe("east");
  key.lift();
  expect(has()).toBeNull();
});

test("who talks elsewhere gives that back and is heard where it is opened", async () => {
  const { key, grant, has, released } = talking((key) => key.press(0));
  key.openFor("sos", 10_000);
  expect(has()).toBeNull();
  await released();
  expect(grant()).toBe("sos");
  key.lift(); // the thumb that was down all the time
  expect(has()).toBe("sos");
});

test("a floor that is just being given back is asked for again", async () => {
  const { key, grant, has, released } = talking((key) => key.press(0));
  key.lift();
  key.openFor("east", 10_000);
  await released();
  grant();
  expect(has()).toBe("east");
});

test("without network or sound it opens as soon as they are there, for all of its time; not for ever", async () => {
  const { key, floors, blocked, grant, has, sent } = phone();
  floors.feed({ type: "link", state: "down" });
  blocked.value = true;
  key.openFor("east", 10_000);
  await vi.advanceTimersByTimeAsync(20_000);
  floors.feed({ type: "link", state: "up" });
  expect(sent).toEqual([]);
  blocked.value = false;
  grant();
  await vi.advanceTimersByTimeAsync(9_999);
  expect(has()).toBe("east");
  await vi.advanceTimersByTimeAsync(1);
  expect(has()).toBeNull();

  const other = phone();
  other.blocked.value = true;
  other.key.openFor("east", 10_000);
  await vi.advanceTimersByTimeAsync(OPENS_WITHIN_MS);
  other.blocked.value = false;
  expect(other.sent).toEqual([]);
});

test("what ends it before its time closes it, unless a hand has taken over", () => {
  const first = phone();
  const end = first.key.openFor("east", 10_000);
  first.grant();
  end();
  expect(first.has()).toBeNull();

  const second = phone();
  const endSecond = second.key.openFor("east", 10_000);
  second.grant();
  second.key.press(0);
  endSecond();
  expect(second.has()).toBe("east");
});

test("a key that is pressed in vain while it waits does not keep it from opening", async () => {
  const { key, floors, grant, has } = phone();
  floors.feed({ type: "link", state: "no_media_path" });
  key.openFor("sos", 10_000);
  key.press(0);
  key.lift();
  floors.feed({ type: "link", state: "up" });
  expect(grant()).toBe("sos");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(has()).toBe("sos");
});

test("who is in danger takes over with one press what his SOS opened, whatever others changed meanwhile", async () => {
  const { key, unseen, grant, has } = phone();
  unseen.value = true;
  key.openFor("sos", 10_000);
  grant();
  key.press(0);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([has(), key.byItself.value]).toEqual(["sos", false]);
  key.lift();
  expect(has()).toBeNull();
});

test("a press goes nowhere while others changed where it would go, but for one that names its group", () => {
  const { key, unseen, sent, grant } = phone();
  unseen.value = true;
  key.press(0);
  expect(sent).toEqual([]);
  key.pressIn("west", 0);
  expect(grant()).toBe("west");
});

test("a key that is held on speaks when its owner had time to see where, and no sooner", async () => {
  const { key, unseen, sent, grant } = phone();
  unseen.value = true;
  key.press(0);
  unseen.value = false;
  await vi.advanceTimersByTimeAsync(HOLDS_ON_MS - 1);
  expect([sent, key.waits.value]).toEqual([[], true]);
  await vi.advanceTimersByTimeAsync(1);
  expect([grant(), key.waits.value]).toEqual(["east", false]);
});

test("a key that was let go, or held while others changed it once more, does not", async () => {
  const { key, unseen, sent } = phone();
  unseen.value = true;
  key.press(0);
  await vi.advanceTimersByTimeAsync(HOLDS_ON_MS);
  expect([sent, key.waits.value]).toEqual([[], true]);
  key.lift();
  unseen.value = false;
  await vi.advanceTimersByTimeAsync(HOLDS_ON_MS);
  expect([sent, key.waits.value]).toEqual([[], false]);
});

test("what only the person can mend comes before what his key waits for", async () => {
  const { key, blocked, unseen, sent } = phone();
  unseen.value = true;
  key.press(0);
  [unseen.value, blocked.value] = [false, true];
  await vi.advanceTimersByTimeAsync(HOLDS_ON_MS);
  expect([sent, key.waits.value]).toEqual([[], false]);
});
