import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { diagnostics } from "../diagnostics";
import type { Carried } from "../wire/picture";
import { STALL } from "./expectation";
import type { Slots } from "./slots";
import { OVER_MS, SlotWatch } from "./watch";

const CARRIED: Carried[] = [{ type: "slot", slot: 0, group: "g", burst: 7 }];

type Voice = { packets: number; lastPlayed: (() => number) | null };

function watching(drawn = 0): { watch: SlotWatch; stalledAt: number[]; over: number[]; voice: Voice } {
  const voice: Voice = { packets: 10, lastPlayed: () => performance.now() };
  const slots = {
    packets: () => Promise.resolve(voice.packets),
    lastPlayed: () => voice.lastPlayed?.() ?? null,
    level: () => 1,
    measure: () => Promise.resolve(),
  };
  const stalledAt: number[] = [];
  const over: number[] = [];
  const owner = {
    stalled: () => stalledAt.push(performance.now()),
    levels: () => undefined,
    over: (slot: number) => over.push(slot),
  };
  const watch = new SlotWatch(slots as unknown as Slots, owner, () => drawn);
  return { watch, stalledAt, over, voice };
}

describe("a slot that should carry voice", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("window", globalThis);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("asks for a new path after 1.5 s without a packet", async () => {
    const { watch, stalledAt } = watching();
    const began = performance.now();
    watch.expect(CARRIED);
    await vi.advanceTimersByTimeAsync(STALL.afterMs - 1);
    expect(stalledAt).toEqual([]);
    await vi.advanceTimersByTimeAsync(251);
    expect(stalledAt).toHaveLength(1);
    expect((stalledAt[0] as number) - began).toBeLessThanOrEqual(STALL.afterMs + 250);
    watch.expect([]);
  });

  it("asks as much later as it has drawn, so that all who miss a silent talker do not ask at once", async () => {
    const { watch, stalledAt } = watching(0.5);
    const late = STALL.afterMs + STALL.spreadMs / 2;
    watch.expect(CARRIED);
    await vi.advanceTimersByTimeAsync(late - 1);
    expect(stalledAt).toEqual([]);
    await vi.advanceTimersByTimeAsync(251);
    expect(stalledAt).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(stalledAt).toHaveLength(1);
    watch.expect([]);
  });

  it("asks for none while packets come, and again when they stop", async () => {
    const { watch, stalledAt, voice } = watching();
    watch.expect(CARRIED);
    for (let second = 0; second < 5; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      voice.packets += 25;
    }
    expect(stalledAt).toEqual([]);
    await vi.advanceTimersByTimeAsync(STALL.afterMs + 500);
    expect(stalledAt).toHaveLength(1);
    watch.expect([]);
  });

  it("hears the first voice of each of two groups whose bursts have one number", async () => {
    const { watch } = watching();
    const before = diagnostics.events.length;
    for (const group of ["g", "h"]) {
      watch.expect([{ type: "slot", slot: 0, group, burst: 7 }]);
      await vi.advanceTimersByTimeAsync(100);
    }
    watch.expect([]);
    expect(diagnostics.events.slice(before).filter(({ name }) => name === "first_voice")).toHaveLength(2);
  });

  it("tells when the first packet of a burst was heard, and not a later one", async () => {
    const { watch, voice } = watching();
    const before = diagnostics.events.length;
    const began = performance.now();
    voice.lastPlayed = () => began - 100 + 20 * Math.floor((performance.now() - began) / 20);
    watch.expect(CARRIED);
    await vi.advanceTimersByTimeAsync(500);
    watch.expect([]);
    const heard = diagnostics.events.slice(before).filter(({ name }) => name === "first_voice");
    expect(heard.map(({ at }) => (at as number) - began)).toEqual([0]);
  });

  it("watches a burst that has ended till its last word was heard, and asks for no path meanwhile", async () => {
    const { watch, over, stalledAt, voice } = watching();
    watch.expect(CARRIED);
    await vi.advanceTimersByTimeAsync(100);
    watch.expect(CARRIED.map((one) => ({ ...one, over: true })));
    await vi.advanceTimersByTimeAsync(6000);
    expect(over).toEqual([]);
    const last = performance.now();
    voice.lastPlayed = () => last;
    await vi.advanceTimersByTimeAsync(OVER_MS);
    expect(over).toEqual([]);
    await vi.advanceTimersByTimeAsync(50);
    expect(over[0]).toBe(0);
    expect(stalledAt).toEqual([]);
    watch.expect([]);
  });

  it("has nothing to wait for of a burst that was never heard", () => {
    const { watch, over, voice } = watching();
    voice.lastPlayed = null;
    watch.expect(CARRIED);
    watch.expect(CARRIED.map((one) => ({ ...one, over: true })));
    expect(over).toEqual([0]);
  });

  it("asks for none once the burst is over", async () => {
    const { watch, stalledAt } = watching();
    watch.expect(CARRIED);
    await vi.advanceTimersByTimeAsync(1000);
    watch.expect([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(stalledAt).toEqual([]);
  });
});
