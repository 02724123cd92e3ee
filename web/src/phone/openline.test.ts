import { expect, test, vi } from "vitest";
import { nothingGoesOn } from "../wire/affairs";
import type { Call } from "../wire/protocol";
import { lineIsOpen, OpenLine } from "./openline";

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
  vi.advanceTimersByTime(120);
  expect(said).toEqual(["open", "silence", "detach"]);
  vi.useRealTimers();
});
