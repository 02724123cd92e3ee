import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Phone } from "../phone/phone";
import { RequestRefused } from "../wire/link";
import type { SosRules } from "../wire/protocol";
import { SosKey } from "./sos";

type Sent = { type: string; alert: string; pressed_ms: number; covert?: boolean };

let shaken = 0;

beforeEach(() => {
  vi.useFakeTimers();
  shaken = 0;
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
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

function phone(rules: Partial<SosRules>, answered = false, answers: { alert?: string; state?: string } = {}) {
  const sent: Sent[] = [];
  const opened: [string, number][] = [];
  const made = {
    affairs: signal({
      sos: { type: "sos_rules", hold_ms: 1500, countdown_ms: 0, covert: false, again_ms: 500, ...rules },
      alerts: {} as Record<string, object>,
    }),
    picture: signal({ selected: "east" }),
    incidents: signal({ list: [] }),
    covert: signal(false),
    touched: () => undefined,
    key: { openFor: (group: string, ms: number) => opened.push([group, ms]) },
    ask: (message: Sent) => {
      sent.push(message);
      if (message.type === "sos_cancel") return Promise.reject(new RequestRefused("alert_over", "over"));
      const { alert } = message;
      const more = { alert, state: "raised", ...answers };
      const answer = { type: "sos_confirmed", told: 2, group: "east", microphone_ms: 10_000, ...more };
      return answered ? Promise.resolve(answer) : Promise.reject(new Error("no answer"));
    },
  };
  return { key: new SosKey(made as unknown as Phone), made, sent, opened };
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

test("a press that belongs to an alert raised before follows that one", async () => {
  const { key } = phone({ hold_ms: 0 }, true, { alert: "al-before" });
  key.down();
  await vi.advanceTimersByTimeAsync(0);
  key.over("al-before");
  expect(key.state.value.name).toBe("quiet");
});
