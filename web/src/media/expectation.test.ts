import { describe, expect, it } from "vitest";
import { type Expectation, expecting, STALL } from "./expectation";

function run(samples: { at: number; bursts: number; packets: number }[]): boolean[] {
  let state: Expectation = null;
  return samples.map(({ at, ...sample }) => {
    const { next, stalled } = expecting(state, sample, at);
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

  it("is asked for again only after a while", () => {
    const missing = (at: number) => ({ at, bursts: 1, packets: 0 });
    expect(run([missing(0), missing(1500), missing(3000), missing(6499), missing(6500)])).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
  });
});
