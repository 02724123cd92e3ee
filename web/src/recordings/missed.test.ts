import { expect, test } from "vitest";
import { inOrder, LONGEST_MS, nothingMissed, type Span, summary, withSpan } from "./missed";
import type { Recording } from "./recordings";

const recording = (id: string, more: Partial<Recording> = {}): Recording => ({
  id,
  group: "g",
  group_name: "East",
  burst: 1,
  talker: { id: "u", name: "Wang" },
  started_ms: 1,
  duration_ms: 2_000,
  tier: 0,
  audio: true,
  peaks: "",
  ...more,
});
const span = (from_ms: number, until_ms: number): Span => ({
  from_ms,
  until_ms,
  bursts: 3,
  duration_ms: 9_000,
  by: [
    { group: "g", talker: "u", talker_name: "Wang", bursts: 2, duration_ms: 6_000, tier: 0 },
    { group: "h", talker: "v", talker_name: "Li", bursts: 1, duration_ms: 3_000, tier: 2 },
  ],
});

test("emergencies first, then in order of time, each once and none that was heard", () => {
  const found = [
    recording("late", { started_ms: 9 }),
    recording("first", { started_ms: 2 }),
    recording("sos", { started_ms: 5, tier: 2 }),
    recording("first", { started_ms: 2 }),
    recording("heard", { started_ms: 1 }),
  ];
  expect(inOrder(found, ["heard"]).map(({ id }) => id)).toEqual(["sos", "first", "late"]);
});

test("two absences count together, and who spoke counts in all", () => {
  const kept = withSpan(withSpan(nothingMissed, span(1, 2), 5), span(3, 4), 5);
  expect(summary(kept, null)).toEqual({
    bursts: 6,
    durationMs: 18_000,
    tier: 2,
    by: [
      { name: "Wang", bursts: 4 },
      { name: "Li", bursts: 2 },
    ],
  });
  expect(summary(kept, [recording("a"), recording("b")])).toMatchObject({
    bursts: 2,
    durationMs: 4_000,
    tier: 0,
  });
});

test("after a day it is no longer missed voice", () => {
  const kept = withSpan(nothingMissed, span(1, 2), 5);
  expect(withSpan(kept, span(LONGEST_MS, LONGEST_MS + 9), LONGEST_MS + 10).spans).toHaveLength(1);
});
