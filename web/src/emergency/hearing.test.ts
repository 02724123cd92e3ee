import { expect, test } from "vitest";
import { begun, GAP_MS, heard, LOOK_MS, looked, type Played, playedSeconds } from "./hearing";

const SAID = 480_000;
const begin: Played = { total: 1_000_000, concealed: 50_000, inserted: 0, removed: 0 };

function after(played: number, concealed = 0, inserted = 0, removed = 0): Played {
  return {
    total: begin.total + played + concealed,
    concealed: begin.concealed + concealed,
    inserted: begin.inserted + inserted,
    removed: begin.removed + removed,
  };
}

function measured(end: Played, audible = true) {
  return { ...looked(begun(0, begin, true), LOOK_MS, audible), end };
}

test("eighty of a hundred samples are heard, seventy-nine are not", () => {
  expect(heard(measured(after(SAID * 0.8)), SAID)?.samples_played).toBe(SAID * 0.8);
  expect(heard(measured(after(SAID * 0.79)), SAID)).toBeNull();
});

test("concealed and stretched samples are none that were spoken, and removed ones were heard faster", () => {
  expect(heard(measured(after(SAID * 0.5, SAID)), SAID)).toBeNull();
  expect(heard(measured(after(SAID * 0.85, 0, SAID * 0.1)), SAID)).toBeNull();
  expect(heard(measured(after(SAID * 0.75, 0, 0, SAID * 0.1)), SAID)).not.toBeNull();
});

test("more than was said is never claimed", () => {
  expect(heard(measured(after(SAID * 2)), SAID)).toEqual({ samples_expected: SAID, samples_played: SAID });
});

test("muted or suspended at any look is never heard", () => {
  expect(heard(measured(after(SAID), false), SAID)).toBeNull();
});

test("a page that stood still did not hear, however much its buffer gave out", () => {
  const froze = looked(begun(0, begin, true), GAP_MS + 1, true);
  expect(heard({ ...froze, end: after(SAID) }, SAID)).toBeNull();
});

test("a burst that has not ended, or of which nothing was relayed, is not heard", () => {
  expect(heard(begun(0, begin, true), SAID)).toBeNull();
  expect(heard(measured(after(SAID)), 0)).toBeNull();
});

test("only what was played of a recording counts, not what was skipped", () => {
  const ranges = [
    [0, 2],
    [8, 10],
  ] as const;
  expect(
    playedSeconds({ length: 2, start: (i) => ranges[i]?.[0] ?? 0, end: (i) => ranges[i]?.[1] ?? 0 }),
  ).toBe(4);
});
