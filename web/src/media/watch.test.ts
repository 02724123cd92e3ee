import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { diagnostics } from "../diagnostics";
import type { Slot } from "../wire/protocol";
import { STALL } from "./expectation";
import type { Slots } from "./slots";
import { SlotWatch } from "./watch";

const CARRIED: Slot[] = [{ type: "slot", slot: 0, group: "g", burst: 7 }];

function watching(drawn = 0): { watch: SlotWatch; stalledAt: number[]; voice: { packets: number } } {
  const voice = { packets: 10 };
  const slots = {
    packets: () => Promise.resolve(voice.packets),
    heard: () => ({ at: performance.now(), level: 1 }),
    measure: () => Promise.resolve(),
  };
  const stalledAt: number[] = [];
  const owner = { stalled: () => stalledAt.push(performance.now()), levels: () => undefined };
  const watch = new SlotWatch(slots as unknown as Slots, owner, () => drawn);
  return { watch, stalledAt, voice };
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

  it("asks for none once the burst is over", async () => {
    const { watch, stalledAt } = watching();
    watch.expect(CARRIED);
    await vi.advanceTimersByTimeAsync(1000);
    watch.expect([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(stalledAt).toEqual([]);
  });
});
