import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Phone } from "../phone/phone";
import { RequestRefused } from "../wire/link";
import type { Refusal, SosRules } from "../wire/protocol";
import { SosKey } from "./sos";
import { KEPT_MS } from "./unsent";

type Sent = {
  type: string;
  alert: string;
  pressed_ms: number;
  covert?: boolean;
  group?: string;
  place?: { longitude: number };
};

let shaken = 0;
const stored = new Map<string, string>();

beforeEach(() => {
  vi.useFakeTimers();
  shaken = 0;
  vi.stubGlobal("window", globalThis);
  stored.clear();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  });
  vi.stubGlobal("sessionStorage", { getItem: () => null });
  vi.stubGlobal("fetch", () => Promise.reject(new Error("no network")));
  vi.stubGlobal("navigator", {
    vibrate: () => {
      shaken += 1;
    },
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

type Answers = { alert?: string; state?: string; cancel?: Refusal };

function phone(rules: Partial<SosRules>, answered = false, answers: Answers = {}) {
  const sent: Sent[] = [];
  const opened: [string, number][] = [];
  const told: ((message: object) => void)[] = [];
  const made = {
    affairs: signal({
      sos: { type: "sos_rules", hold_ms: 1500, countdown_ms: 0, covert: false, again_ms: 500, ...rules },
      alerts: {} as Record<string, object>,
    }),
    picture: signal({ selected: "east", floors: { east: { mayRequest: true }, sos: { mayRequest: true } } }),
    incidents: signal({ list: [] }),
    covert: signal(false),
    linkState: signal("closed"),
    touched: () => undefined,
    key: {
      openFor: (group: string, ms: number) => {
        opened.push([group, ms]);
        return () => opened.push(["closed", 0]);
      },
      opensIn: (group: string) => opened.at(-1)?.[0] === group,
    },
    follow: (listener: (message: object) => void) => told.push(listener),
    ask: (message: Sent) => {
      sent.push(message);
      if (message.type === "sos_cancel")
        return Promise.reject(new RequestRefused(answers.cancel ?? "alert_over", "no"));
      const { alert } = message;
      const more = { alert, state: "raised", ...answers };
      const answer = { type: "sos_confirmed", told: 2, group: "east", microphone_ms: 10_000, ...more };
      return answered ? Promise.resolve(answer) : Promise.reject(new Error("no answer"));
    },
  };
  const tell = (message: object) => {
    for (const each of told) each(message);
  };
  return { key: new SosKey(made as unknown as Phone, "us-1"), made, sent, opened, tell };
}

test("let go before the time nothing is sent; held it goes out", async () => {
  const { key, sent } = phone({});
  key.down();
  await vi.advanceTimersByTimeAsync(1499);
  key.up();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(sent).toEqual([]);
  key.down();
  await vi.advanceTimersByTimeAsync(1500);
  expect(sent.length).toBe(1);
});

test("a countdown can be taken back, and goes out when it is not", async () => {
  const { key, sent } = phone({ hold_ms: 0, countdown_ms: 3_000 });
  key.down();
  key.down();
  expect(key.state.value.name).toBe("counting");
  await vi.advanceTimersByTimeAsync(2_999);
  await key.cancel();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(sent).toEqual([]);
  key.down();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(sent.length).toBe(1);
});

test("it is sent every half second with the time of the press, shaking, until it is confirmed", async () => {
  const { key, sent } = phone({ hold_ms: 0 });
  key.down();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(key.state.value.name).toBe("not_sent");
  expect(sent.length).toBe(5);
  expect(new Set(sent.map(({ alert, pressed_ms }) => `${alert} ${pressed_ms}`)).size).toBe(1);
  expect(shaken).toBe(5);
});

test("confirmed it opens the microphone once and is sent no more", async () => {
  const { key, sent, opened } = phone({ hold_ms: 0 }, true);
  key.down();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(key.state.value).toMatchObject({ name: "confirmed", told: 2 });
  expect(sent.length).toBe(1);
  expect(opened).toEqual([["east", 10_000]]);
});

test("a covert one asks for that, shakes nothing, counts nothing down, and hides the phone's own signs", async () => {
  const { key, made, sent } = phone({ hold_ms: 300, countdown_ms: 5_000, covert: true });
  key.down();
  await vi.advanceTimersByTimeAsync(300);
  expect(sent[0]?.covert).toBe(true);
  expect(made.covert.value).toBe(true);
  expect(shaken).toBe(0);
});

test("what was closed while the phone was away is not told again after it came back: the key is ready", async () => {
  const { key, made } = phone({ hold_ms: 0 }, true);
  key.down();
  await vi.advanceTimersByTimeAsync(0);
  const { state } = key;
  if (state.value.name !== "confirmed") throw new Error(state.value.name);
  made.affairs.value = { ...made.affairs.value, alerts: { [state.value.alert]: {} } };
  key.came();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.value.name).toBe("confirmed");
  made.affairs.value = { ...made.affairs.value, alerts: {} };
  key.came();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.value.name).toBe("quiet");
});

test("taking back what is over already is done, and the key is ready", async () => {
  const { key } = phone({ hold_ms: 0 }, true);
  key.down();
  await vi.advanceTimersByTimeAsync(0);
  await key.cancel();
  expect(key.state.value.name).toBe("quiet");
});

test("an answer that it was closed meanwhile frees the key, and opens no microphone", async () => {
  const { key, opened } = phone({ hold_ms: 0 }, true, { state: "closed" });
  key.down();
  await vi.advanceTimersByTimeAsync(3_000);
  expect([key.state.value.name, opened]).toEqual(["quiet", []]);
});

test("a place that is measured after the alert was taken follows it, and only while that is open", async () => {
  const fixes: ((at: object) => void)[] = [];
  vi.stubGlobal("navigator", {
    geolocation: { getCurrentPosition: (here: (at: object) => void) => fixes.push(here) },
  });
  const { key, sent, opened } = phone({ hold_ms: 0 }, true);
  key.down();
  await vi.advanceTimersByTimeAsync(4_000);
  const at = { coords: { longitude: 114.3, latitude: 30.6, accuracy: 8 }, timestamp: 5 };
  fixes[0]?.(at);
  await vi.advanceTimersByTimeAsync(5_000);
  const [first, again] = sent as [Sent, Sent];
  expect([first.place, again]).toEqual([
    undefined,
    { ...first, place: expect.objectContaining({ longitude: 114.3 }) },
  ]);
  expect([sent.length, opened.length]).toEqual([2, 1]);
  key.over(first.alert);
  fixes[0]?.(at);
  expect(sent.length).toBe(2);
});

test("an alert of before that was closed in the same moment does not take this press with it", async () => {
  const { key, sent, opened } = phone({ hold_ms: 0 }, true, { alert: "al-before", state: "resolved" });
  key.down();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([key.state.value.name, sent.length, opened]).toEqual(["not_sent", 3, []]);
});

const of = (sent: Sent[], type: string) => sent.filter((each) => each.type === type);

test("what has not got through can be taken back, here and for the page that is loaded anew", async () => {
  const { key, sent } = phone({ hold_ms: 0 });
  key.down();
  await vi.advanceTimersByTimeAsync(700);
  await key.cancel();
  expect([key.state.value.name, sent.at(-1)]).toEqual([
    "quiet",
    { type: "sos_cancel", alert: sent[0]?.alert }, // it may have got through without an answer
  ]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(of(sent, "sos").length).toBe(2);
  expect(phone({ hold_ms: 0 }).key.state.value.name).toBe("quiet");
});

test.each(["alert_over", "emergency_talking"] as const)(
  "what got through while it was taken back is taken back there, or said to be open (%s)",
  async (cancel) => {
    const answers: ((answer: object) => void)[] = [];
    vi.stubGlobal("fetch", () => new Promise((settle) => answers.push(settle)));
    const { key, sent, opened } = phone({ hold_ms: 0 }, false, { cancel });
    key.down();
    await vi.advanceTimersByTimeAsync(100);
    const { alert } = sent[0] as Sent;
    await key.cancel();
    expect(key.state.value.name).toBe("quiet");
    const raised = { alert, state: "raised", told: 1, group: "east", microphone_ms: 10_000 };
    for (const answer of answers) answer({ ok: true, json: async () => raised });
    await vi.advanceTimersByTimeAsync(100);
    expect(of(sent, "sos_cancel").length).toBe(2);
    expect(key.state.value.name).toBe(cancel === "alert_over" ? "quiet" : "confirmed");
    expect(opened).toEqual([]);
  },
);

test("who presses anew after taking back means it, whatever comes of the press before", async () => {
  const answers: ((answer: object) => void)[] = [];
  vi.stubGlobal("fetch", () => new Promise((settle) => answers.push(settle)));
  const { key, sent } = phone({ hold_ms: 0 });
  key.down();
  await vi.advanceTimersByTimeAsync(100);
  await key.cancel();
  key.down();
  await vi.advanceTimersByTimeAsync(100);
  const before = { alert: sent[0]?.alert, state: "raised", told: 1 };
  for (const answer of answers) answer({ ok: true, json: async () => before });
  await vi.advanceTimersByTimeAsync(100);
  expect(of(sent, "sos_cancel").length).toBe(1);
  expect(key.state.value).toMatchObject({ name: "confirmed", alert: before.alert });
});

test("after two minutes without network it goes out with the time of the press, and he is heard", async () => {
  const { key, sent, opened } = phone({ hold_ms: 0 });
  key.down();
  const pressed = (sent[0] as Sent).pressed_ms;
  await vi.advanceTimersByTimeAsync(120_000);
  expect([key.state.value.name, sent.length, shaken]).toEqual(["not_sent", 241, 241]);
  const { alert } = sent[0] as Sent;
  const confirmed = { alert, state: "raised", told: 1, group: "east", microphone_ms: 10_000 };
  vi.stubGlobal("fetch", () => Promise.resolve({ ok: true, json: async () => confirmed }));
  await vi.advanceTimersByTimeAsync(600);
  expect(new Set(sent.map((each) => `${each.alert} ${each.pressed_ms}`))).toEqual(
    new Set([`${alert} ${pressed}`]),
  );
  expect([key.state.value.name, opened]).toEqual(["confirmed", [["east", 10_000]]]);
});

test("a press that belongs to an alert raised before follows that one", async () => {
  const { key } = phone({ hold_ms: 0 }, true, { alert: "al-before" });
  key.down();
  await vi.advanceTimersByTimeAsync(0);
  key.over("al-before");
  expect(key.state.value.name).toBe("quiet");
});

const brought = (call: string) => ({ type: "brought_in", why: "alert", call, group: { id: "east" } });

test("he is heard as soon as the server leads it, though nothing is kept yet; confirmed later it opens nothing more", async () => {
  const answers = { alert: "al-1" };
  const { key, sent, opened, tell } = phone({ hold_ms: 0, microphone_ms: 10_000 }, false, answers);
  key.down();
  tell(brought("another's"));
  expect(opened).toEqual([]);
  const { alert } = sent[0] as Sent;
  tell(brought(alert));
  tell(brought(alert));
  expect([key.state.value.name, opened]).toEqual(["not_sent", [["east", 10_000]]]);
  const kept = { alert, state: "raised", told: 1, group: "east", microphone_ms: 10_000 };
  vi.stubGlobal("fetch", () => Promise.resolve({ ok: true, json: async () => kept }));
  await vi.advanceTimersByTimeAsync(600);
  expect([key.state.value.name, opened.length]).toEqual(["confirmed", 1]);
  key.over(alert);
  expect(opened).toEqual([
    ["east", 10_000],
    ["closed", 0],
  ]);
});

test.each([
  ["where he selected", {}, "east", [["east", 10_000]]],
  ["where it is said whatever he selected", { group: "sos" }, "sos", [["sos", 10_000]]],
  [
    "elsewhere, when the server leads it there",
    {},
    "west",
    [
      ["east", 10_000],
      ["closed", 0],
      ["west", 10_000],
    ],
  ],
  [
    "nowhere before the server leads it, where only one may talk",
    { single: true },
    "east",
    [["east", 10_000]],
  ],
  ["nowhere before the server leads it, when it is covert", { covert: true }, "so-1", [["so-1", 10_000]]],
] as const)("the floor is asked for with the SOS itself: %s", (_, rules, led, expected) => {
  const { key, made, sent, opened, tell } = phone({ hold_ms: 0, microphone_ms: 10_000, ...rules });
  made.linkState.value = "up";
  if ("single" in rules) made.picture.value.floors.east.mayRequest = false;
  key.down();
  expect(opened.length).toBe("covert" in rules || "single" in rules ? 0 : 1);
  tell({ ...brought((sent[0] as Sent).alert), group: { id: led } });
  expect(opened).toEqual(expected);
});

test("what nobody has confirmed goes on from the page that is loaded anew, the same with its time and place", async () => {
  vi.stubGlobal("navigator", {
    geolocation: {
      getCurrentPosition: (here: (at: object) => void) =>
        here({ coords: { longitude: 114.3, latitude: 30.6, accuracy: 8 }, timestamp: 5 }),
    },
  });
  const first = phone({ hold_ms: 0 });
  first.key.down();
  const pressed = first.sent[0] as Sent;
  vi.clearAllTimers(); // the page is gone
  await vi.advanceTimersByTimeAsync(60_000);
  const second = phone({ hold_ms: 0 });
  expect(second.key.state.value.name).toBe("not_sent");
  const [again] = second.sent;
  expect(again).toEqual(pressed);
  expect(again).toMatchObject({ group: "east", place: { longitude: 114.3 } });
  vi.clearAllTimers();

  const third = phone({ hold_ms: 0 }, true);
  await vi.advanceTimersByTimeAsync(0);
  expect(third.key.state.value.name).toBe("confirmed");
  expect(third.opened).toEqual([["east", 10_000]]);
  expect(phone({ hold_ms: 0 }).key.state.value.name, "confirmed it is forgotten").toBe("quiet");
});

test("long after the press a page that is loaded anew only tells; after a day not even that", async () => {
  const first = phone({ hold_ms: 0 });
  first.key.down();
  vi.clearAllTimers();
  await vi.advanceTimersByTimeAsync(3_600_000);
  const late = phone({ hold_ms: 0 }, true, { state: "raised" });
  await vi.advanceTimersByTimeAsync(0);
  expect([late.key.state.value.name, late.opened]).toEqual(["confirmed", []]);

  const again = phone({ hold_ms: 0 });
  again.key.down();
  vi.clearAllTimers();
  await vi.advanceTimersByTimeAsync(2 * KEPT_MS);
  expect(phone({ hold_ms: 0 }).key.state.value.name).toBe("quiet");
});

test("another person's page on the same device sends nothing of it", () => {
  const { key, made } = phone({ hold_ms: 0 });
  key.down();
  expect(new SosKey(made as unknown as Phone, "us-2").state.value.name).toBe("quiet");
});

test("touched by one who cannot hold it, it goes out after three seconds in which he may take it back", async () => {
  const { key, sent } = phone({});
  key.tapped();
  expect(key.state.value.name).toBe("counting");
  await key.cancel();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(sent).toEqual([]);
  key.tapped();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(sent.length).toBe(1);
});
