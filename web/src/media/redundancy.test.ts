import { describe, expect, it } from "vitest";
import { type Doubling, doubling, REDUNDANCY } from "./redundancy";

const once: Doubling = { on: false, lossAt: 0 };

describe("sending each frame twice", () => {
  it("begins at the limit of loss, not below", () => {
    expect(doubling(once, REDUNDANCY.fromLoss - 0.001, 1000).on).toBe(false);
    expect(doubling(once, REDUNDANCY.fromLoss, 1000)).toEqual({ on: true, lossAt: 1000 });
    expect(doubling(once, null, 1000).on).toBe(false);
  });

  it("goes on for a while after the last loss", () => {
    const on = doubling(once, 0.1, 1000);
    expect(doubling(on, 0, 1000 + REDUNDANCY.holdMs - 1).on).toBe(true);
    expect(doubling(on, null, 1000 + REDUNDANCY.holdMs).on).toBe(false);
    expect(doubling(doubling(on, 0.04, 15_000), 0, 22_000).on).toBe(true);
  });
});
