import { beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../account/api";
import { inOrder, LONGEST_MS, MissedVoice, nothingMissed, type Span, summary, withSpan } from "./missed";
import type { MissedPage, Recording } from "./recordings";

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

/** A server that lists `page` at once, and a loudspeaker: `said` is what was played, `mute` what cannot be. */
class Town {
  readonly said: string[] = [];
  readonly mute = new Set<string>();
  all: Recording[];
  page: number;
  gone = false;
  why: unknown = null;
  playing: string | null = null;
  during: () => void = () => undefined;

  constructor(count: number, page: number) {
    this.page = page;
    this.all = Array.from({ length: count }, (_, at) => recording(`r${at}`, { started_ms: 10 + at }));
  }

  voice(): MissedVoice {
    return new MissedVoice("u", {
      list: async (_, until, after) => {
        if (this.gone) throw new Error("unreachable");
        return this.#page(
          this.all.filter(({ started_ms }) => started_ms < until),
          Number(after ?? 0),
        );
      },
      play: async (sounds, order) => {
        for (const { id } of sounds) {
          this.playing = id;
          this.during();
          if (this.playing !== id) return false;
          this.said.push(id);
          if (!this.mute.has(id)) order?.heard?.(id, 2);
        }
        return true;
      },
      stop: () => {
        this.playing = null;
      },
      playing: () => this.playing,
      failed: () => this.why,
    });
  }

  #page(found: Recording[], from: number): MissedPage {
    const rest = found.slice(from + this.page);
    return {
      recordings: found.slice(from, from + this.page),
      more: rest.length,
      more_ms: rest.length * 2_000,
      next: rest.length ? String(from + this.page) : null,
    };
  }
}

const away = (until_ms: number, bursts: number): Span => ({
  ...span(1, until_ms),
  from_ms: 1,
  bursts,
  by: [],
});
const soon = () => Date.now() + 1_000;

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, text: string) => kept.set(name, text),
    removeItem: (name: string) => kept.delete(name),
  });
});

test.each([
  ["at the limit of a list", 3, 3],
  ["one beyond it", 4, 3],
  ["many lists long", 10, 3],
])("everything is played, %s", async (_, count, page) => {
  const town = new Town(count, page);
  const missed = town.voice();
  missed.told(away(soon(), count));
  await missed.play();
  expect(town.said).toEqual(town.all.map(({ id }) => id));
  expect(missed.kept.value).toEqual(nothingMissed);
});

test("what follows a list is counted while that is heard, and stays when it is stopped, also over a reload", async () => {
  const town = new Town(5, 2);
  const missed = town.voice();
  missed.told(away(soon(), 5));
  town.during = () => {
    expect(summary(missed.kept.value, missed.left.value, missed.beyond.value).bursts).toBe(
      5 - town.said.length,
    );
    if (town.playing === "r3") town.playing = null;
  };
  await missed.play();
  expect(town.said).toEqual(["r0", "r1", "r2"]);
  town.during = () => undefined;
  await town.voice().play();
  expect(town.said).toEqual(["r0", "r1", "r2", "r3", "r4"]);
});

test("put aside is what was shown: a list, then the next, never what was not", async () => {
  const town = new Town(5, 2);
  const missed = town.voice();
  missed.told(away(soon(), 5));
  town.during = () => {
    town.playing = null;
  };
  await missed.play();
  const shown = () => missed.left.value?.map(({ id }) => id);
  expect([shown(), missed.beyond.value.bursts]).toEqual([["r0", "r1"], 3]);
  await missed.dismiss();
  expect([shown(), missed.beyond.value.bursts]).toEqual([["r2", "r3"], 1]);
  town.gone = true;
  await missed.dismiss();
  expect(missed.failed.value).toMatchObject({ message: "unreachable" });
  expect(summary(missed.kept.value, missed.left.value).bursts).toBe(1);
  town.gone = false;
  town.during = () => undefined;
  await missed.play();
  expect([town.said, missed.kept.value]).toEqual([["r4"], nothingMissed]);
});

test("another absence that is told of while one is heard is heard after it", async () => {
  const town = new Town(2, 2);
  const now = vi.spyOn(Date, "now").mockReturnValue(100);
  const missed = town.voice();
  missed.told(away(12, 2));
  town.during = () => {
    if (town.playing !== "r1") return;
    town.all.push(recording("later", { started_ms: 50 }));
    missed.told({ ...away(soon(), 1), from_ms: 40 });
  };
  await missed.play();
  now.mockRestore();
  expect(town.said).toEqual(["r0", "r1", "later"]);
  expect(missed.kept.value).toEqual(nothingMissed);
});

test("a disk that is away is said at the first that cannot be had, and all stays to be heard", async () => {
  const town = new Town(4, 2);
  const missed = town.voice();
  missed.told(away(soon(), 4));
  town.mute.add("r0").add("r1");
  town.why = new Problem("recordings_away", 503);
  await missed.play();
  expect([town.said, missed.failed.value]).toEqual([["r0", "r1"], town.why]);
  town.why = null;
  town.mute.clear();
  await missed.play();
  expect([missed.failed.value, missed.kept.value]).toEqual([null, nothingMissed]);
});

test("what cannot be played is passed over once and stays to be tried again", async () => {
  const town = new Town(4, 3);
  town.mute.add("r1");
  const missed = town.voice();
  missed.told(away(soon(), 4));
  await missed.play();
  expect(town.said).toEqual(["r0", "r1", "r2", "r3"]);
  expect(missed.left.value?.map(({ id }) => id)).toEqual(["r1"]);
  town.mute.clear();
  await missed.play();
  expect(missed.kept.value).toEqual(nothingMissed);
});

test("all that was heard is over with, though the server is gone meanwhile", async () => {
  const town = new Town(2, 3);
  const missed = town.voice();
  missed.told(away(soon(), 2));
  town.during = () => {
    town.gone = true;
  };
  await missed.play();
  expect([missed.kept.value, missed.failed.value]).toEqual([nothingMissed, null]);
});
