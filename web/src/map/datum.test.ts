import { expect, test } from "vitest";
import { inGcj02, inWgs84 } from "./datum";

/** WGS-84, and the same place in GCJ-02 as gateway/mapping/datum.py says: Wuhan, Beijing, Shanghai, Ürümqi, Haikou; Tokyo is outside. */
const PLACES = [
  [114.305, 30.593, 114.310444217, 30.590589785],
  [116.391, 39.907, 116.397240959, 39.908401109],
  [121.499, 31.24, 121.503435672, 31.237988545],
  [87.617, 43.792, 87.619848449, 43.79322442],
  [110.35, 20.02, 110.354411019, 20.017997369],
  [139.69, 35.69, 139.69, 35.69],
] as const;
const METRE_DEG = 1 / 111_320;

test("the same place is hundreds of metres off, as the server says to the millimetre", () => {
  for (const [longitude, latitude, east, north] of PLACES) {
    const there = inGcj02({ longitude, latitude });
    expect(Math.abs(there.longitude - east)).toBeLessThan(METRE_DEG / 1000);
    expect(Math.abs(there.latitude - north)).toBeLessThan(METRE_DEG / 1000);
  }
});

test("back it comes to within a millimetre; what is no GCJ-02 stays where it is", () => {
  for (const [longitude, latitude, east, north] of PLACES) {
    const back = inWgs84({ longitude: east, latitude: north }, "GCJ-02");
    expect(Math.abs(back.longitude - longitude)).toBeLessThan(METRE_DEG / 1000);
    expect(Math.abs(back.latitude - latitude)).toBeLessThan(METRE_DEG / 1000);
    for (const datum of ["WGS-84", "CGCS2000"] as const) {
      expect(inWgs84({ longitude, latitude }, datum)).toEqual({ longitude, latitude });
    }
  }
});
