import { expect, test } from "vitest";
import type { Recording } from "./recordings";
import { conversations, PAUSE_MS, together } from "./timeline";

const burst = (id: string, started_ms: number, more: Partial<Recording> = {}): Recording => ({
  id,
  group: "g",
  group_name: "East",
  burst: started_ms,
  talker: { id, name: id },
  started_ms,
  duration_ms: 1_000,
  tier: 0,
  audio: true,
  peaks: "",
  ...more,
});

test("bursts that follow each other are one conversation, to scale", () => {
  const [only] = conversations([burst("b", 3_000), burst("a", 0, { tier: 2 })]);
  expect(only).toMatchObject({ name: "East", from: 0, until: 4_000, talkers: ["a", "b"], tier: 2 });
  expect(only?.bursts.map(({ one, at, width }) => [one.id, at, width])).toEqual([
    ["a", 0, 0.25],
    ["b", 0.75, 0.25],
  ]);
});

test("a long pause and another group begin another; the newest comes first", () => {
  const found = conversations([
    burst("a", 0),
    burst("b", 1_000 + PAUSE_MS),
    burst("c", 2_001 + 2 * PAUSE_MS),
    burst("d", 500, { group: "h" }),
  ]);
  expect(found.map(({ bursts }) => bursts.map(({ one }) => one.id))).toEqual([["c"], ["d"], ["a", "b"]]);
});

test("nothing, and a burst of no length", () => {
  expect(conversations([])).toEqual([]);
  expect(conversations([burst("a", 0, { duration_ms: 0 })])[0]?.bursts[0]?.width).toBe(0);
});

test("two groups are heard together in order of time, without what has no sound", () => {
  const found = [
    burst("c", 9_000),
    burst("b", 4_000, { group: "h" }),
    burst("mute", 2_000, { audio: false }),
  ];
  expect(together([...found, burst("a", 0)]).map(({ id }) => id)).toEqual(["a", "b", "c"]);
});
