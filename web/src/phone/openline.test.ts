import { signal } from "@preact/signals";
import { expect, test, vi } from "vitest";
import { LIMITS } from "../floor/model";
import { nothingGoesOn } from "../wire/affairs";
import type { Call } from "../wire/protocol";
import { cutOff, isListenedTo, LISTENED_WITHOUT_LINK_MS, lineIsOpen, OpenLine } from "./openline";

vi.stubGlobal("window", globalThis);

const me = { id: "me", name: "我" };
const wang = { id: "wang", name: "王强" };
const call = (more: Partial<Call> = {}): Call => ({
  type: "call",
  call: "ca",
  group: "ca",
  kind: "private",
  name: "",
  by: me,
  phase: "running",
  duplex: true,
  parties: [
    { person: me, part: "joined" },
    { person: wang, part: "joined" },
  ],
  ...more,
});
const going = (one: Call) => ({ ...nothingGoesOn, calls: { [one.call]: one } });

test("a line is open while a call without a floor runs with me in it", () => {
  expect(lineIsOpen(nothingGoesOn, "me")).toBe(false);
  expect(lineIsOpen(going(call()), "me")).toBe(true);
  expect(lineIsOpen(going(call({ duplex: false })), "me")).toBe(false);
  expect(lineIsOpen(going(call({ phase: "setting up" })), "me")).toBe(false);
  expect(lineIsOpen(going(call()), "somebody")).toBe(false);
});

test("a line is open while this phone is listened to", () => {
  expect(lineIsOpen({ ...nothingGoesOn, listenedToBy: ["ca"] }, "me")).toBe(true);
});

test("without a link for a while this phone is listened to no longer, while a call goes on", () => {
  const listened = { ...nothingGoesOn, listenedToBy: ["ca"] };
  for (const gone of [false, true]) {
    expect(lineIsOpen(listened, "me", gone)).toBe(!gone);
    expect(isListenedTo(listened, gone)).toBe(!gone); // nor is it said
  }
  expect(lineIsOpen(going(call()), "me", true)).toBe(true);

  vi.useFakeTimers();
  const state = signal("up");
  const off = cutOff(state);
  state.value = "waiting";
  vi.advanceTimersByTime(LISTENED_WITHOUT_LINK_MS - 1);
  state.value = "connecting"; // tried again in between: it is still away
  expect(off.value).toBe(false);
  vi.advanceTimersByTime(1);
  expect(off.value).toBe(true);
  state.value = "up";
  expect(off.value).toBe(false);
  state.value = "waiting";
  state.value = "up";
  vi.advanceTimersByTime(LISTENED_WITHOUT_LINK_MS);
  expect(off.value).toBe(false);
  vi.useRealTimers();
});

test("it ends as a burst does: silence first, then the detach", () => {
  vi.useFakeTimers();
  const said: string[] = [];
  const line = new OpenLine({
    open: () => said.push("open"),
    silence: () => said.push("silence"),
    detach: async () => {
      said.push("detach");
    },
  });
  line.set(true);
  line.set(true);
  line.set(false);
  expect(said).toEqual(["open", "silence"]);
  vi.advanceTimersByTime(LIMITS.silenceMs);
  expect(said).toEqual(["open", "silence", "detach"]);
  vi.useRealTimers();
});
