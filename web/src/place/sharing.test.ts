import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
const { report } = await import("./sharing");

const coords = {
  longitude: 114.3,
  latitude: 30.6,
  accuracy: 9,
  altitude: null,
  altitudeAccuracy: null,
  speed: null,
  heading: null,
};

describe("a report of the place", () => {
  it("invents nothing: without a fix or a battery it says only that there is no cell", () => {
    expect(report(5, null, null)).toEqual({ at_ms: 5, cell: { at_ms: 5 } });
  });

  it("names when each part was measured", () => {
    expect(report(5_000, { timestamp: 4_000.4, coords }, { level: 0.554, charging: false })).toEqual({
      at_ms: 5_000,
      cell: { at_ms: 5_000 },
      position: { at_ms: 4_000, longitude: 114.3, latitude: 30.6, accuracy_m: 9, datum: "WGS-84" },
      battery: { at_ms: 5_000, percent: 55, charging: false },
    });
  });

  it("leaves out a heading that is none", () => {
    const standing = { ...coords, speed: 0, heading: Number.NaN };
    expect(report(1, { timestamp: 1, coords: standing }, null).motion).toEqual({ at_ms: 1, speed_mps: 0 });
  });
});
