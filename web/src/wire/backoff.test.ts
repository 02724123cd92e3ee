import { describe, expect, it } from "vitest";
import { BACKOFF, backoff } from "./backoff";

describe("backoff", () => {
  it("begins quick and doubles", () => {
    expect([0, 1, 2].map((attempt) => backoff(attempt, 1))).toEqual([250, 500, 1000]);
  });

  it("never exceeds its limit", () => {
    expect(backoff(60, 0.999)).toBeLessThanOrEqual(BACKOFF.mostMs);
  });

  it("spreads the phones over half of the time", () => {
    expect(backoff(2, 0)).toBe(500);
  });
});
