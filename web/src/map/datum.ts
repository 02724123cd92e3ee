// One datum on one map: GCJ-02, which Chinese phones and maps often use, lies 50 to 700 m beside WGS-84. Pure.
//
// The shift is the published polynomial on the Krasovsky ellipsoid, as in gateway/mapping/datum.py; the way back has no closed form and
// iterates until it stands (below 1 mm). What remains is how exact the place itself was. CGCS2000 is within centimetres of WGS-84.

import type { Degrees } from "./degrees";

export type Datum = "WGS-84" | "GCJ-02" | "CGCS2000";

const AXIS_M = 6_378_245;
const ECCENTRICITY = 0.006693421622965943;
const ROUNDS = 10;
const STANDS_DEG = 1e-10;
const { PI, abs, cos, sin, sqrt } = Math;

/** Where it is in WGS-84, in which maps here are drawn. */
export function inWgs84(at: Degrees, datum: Datum): Degrees {
  if (datum !== "GCJ-02") return { longitude: at.longitude, latitude: at.latitude };
  let { longitude, latitude } = at;
  for (let round = 0; round < ROUNDS; round++) {
    const there = inGcj02({ longitude, latitude });
    const east = at.longitude - there.longitude;
    const north = at.latitude - there.latitude;
    longitude += east;
    latitude += north;
    if (abs(east) < STANDS_DEG && abs(north) < STANDS_DEG) break;
  }
  return { longitude, latitude };
}

/** The same place of WGS-84 in GCJ-02. Outside the bounding box of mainland China both are the same. */
export function inGcj02({ longitude, latitude }: Degrees): Degrees {
  const inside = longitude >= 72.004 && longitude <= 137.8347 && latitude >= 0.8293 && latitude <= 55.8271;
  if (!inside) return { longitude, latitude };
  const { east, north } = offset(longitude - 105, latitude - 35);
  const phi = (latitude * PI) / 180;
  const flat = 1 - ECCENTRICITY * sin(phi) ** 2;
  const meridian = (AXIS_M * (1 - ECCENTRICITY)) / (flat * sqrt(flat));
  const parallel = (AXIS_M / sqrt(flat)) * cos(phi);
  return {
    longitude: longitude + (east * 180) / (parallel * PI),
    latitude: latitude + (north * 180) / (meridian * PI),
  };
}

/** Metres east and north, of degrees east of 105°E and north of 35°N. */
function offset(x: number, y: number): { east: number; north: number } {
  const root = sqrt(abs(x));
  const ripple = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3;
  const east =
    300 +
    x +
    2 * y +
    0.1 * x * x +
    0.1 * x * y +
    0.1 * root +
    ripple +
    ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3 +
    ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3;
  const north =
    -100 +
    2 * x +
    3 * y +
    0.2 * y * y +
    0.1 * x * y +
    0.2 * root +
    ripple +
    ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3 +
    ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3;
  return { east, north };
}
