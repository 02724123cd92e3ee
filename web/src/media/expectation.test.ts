import { describe, expect, it } from "vitest";
import { type Expectation, expecting, STALL } from "./expectation";

function run(samples: { at: number; bursts: number; packets: number }[], spread = 0): boolean[] {
  let state: Expectation = null;
  return samples.map(({ at, ...sample }) => {
    const { next, stalled } = expecting(state, sample, at, spread);
    state = next;
    return stalled;
  });
}

describe("expected voice", () => {
  it("is missed after 1.5 s without a packet, not before", () => {
    expect(
      run([
        { at: 0, bursts: 1, packets: 10 },
        { at: STALL.afterMs - 1, bursts: 1, packets: 10 },
        { at: STALL.afterMs, bursts: 1, packets: 10 },
      ]),
    ).toEqual([false, false, true]);
  });

  it("is not missed while packets come", () => {
    expect(
      run([
        { at: 0, bursts: 1, packets: 10 },
        { at: 1000, bursts: 1, packets: 11 },
        { at: 2400, bursts: 1, packets: 12 },
      ]),
    ).toEqual([false, false, false]);
  });

  it("is not missed when nothing is on air", () => {
    expect(
      run([
        { at: 0, bursts: 0, packets: 10 },
        { at: 9000, bursts: 0, packets: 10 },
        { at: 9001, bursts: 1, packets: 10 },
      ]),
    ).toEqual([false, false, false]);
  });

  it("is missed as much later as this page has drawn", () => {
    const missing = (at: number) => ({ at, bursts: 1, packets: 0 });
    const late = STALL.afterMs + STALL.spreadMs;
    expect(run([missing(0), missing(late - 1), missing(late)], STALL.spreadMs)).toEqual([false, false, true]);
  });

  it("is asked for once, and again only when it had come and stops once more, or for another burst", () => {
    const sample = (at: number, packets: number, bursts = 1) => ({ at, bursts, packets });
    expect(run([sample(0, 0), sample(1500, 0), sample(3000, 0), sample(60_000, 0)])).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(run([sample(0, 0), sample(1500, 0), sample(1600, 1), sample(3100, 1)])).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(
      run([sample(0, 0), sample(1500, 0), sample(1600, 0, 0), sample(1700, 0), sample(3200, 0)]),
    ).toEqual([false, true, false, false, true]);
  });
});
