// The map needs no network: degrees become metres, metres become pixels, and ages become words. Pure.

export type Degrees = { longitude: number; latitude: number };
export type Point = { x: number; y: number };
export type Box = { west: number; south: number; east: number; north: number };
/** What is looked at: the centre, and how many pixels a metre has. */
export type View = { centre: Degrees; scale: number };
export type Size = { width: number; height: number };

const NORTH_M = 111_320;
export const MIN_SCALE = 0.0005;
export const MAX_SCALE = 4;
const MARGIN = 0.12;
const LEAST_M = 400;

/** Metres east and north of a centre, good for a city; y grows to the south, as on screens. */
export function project(view: View, size: Size, at: Degrees): Point {
  const east = (at.longitude - view.centre.longitude) * eastM(view.centre.latitude);
  const north = (at.latitude - view.centre.latitude) * NORTH_M;
  return { x: size.width / 2 + east * view.scale, y: size.height / 2 - north * view.scale };
}

export function unproject(view: View, size: Size, { x, y }: Point): Degrees {
  return {
    longitude: view.centre.longitude + (x - size.width / 2) / view.scale / eastM(view.centre.latitude),
    latitude: view.centre.latitude - (y - size.height / 2) / view.scale / NORTH_M,
  };
}

export function boxOf(points: readonly Degrees[]): Box | null {
  if (points.length === 0) return null;
  const longitudes = points.map(({ longitude }) => longitude);
  const latitudes = points.map(({ latitude }) => latitude);
  return {
    west: Math.min(...longitudes),
    east: Math.max(...longitudes),
    south: Math.min(...latitudes),
    north: Math.max(...latitudes),
  };
}

/** A view that shows the whole box, and no less than a few streets. */
export function fitted(box: Box, size: Size): View {
  const centre = { longitude: (box.west + box.east) / 2, latitude: (box.south + box.north) / 2 };
  const width = Math.max(LEAST_M, (box.east - box.west) * eastM(centre.latitude));
  const height = Math.max(LEAST_M, (box.north - box.south) * NORTH_M);
  const scale = Math.min(size.width / width, size.height / height) * (1 - MARGIN);
  return { centre, scale: clamped(scale) };
}

/** Nearer or farther by `factor`, with what is under `at` staying there. */
export function zoomed(view: View, size: Size, at: Point, factor: number): View {
  const under = unproject(view, size, at);
  const next = { ...view, scale: clamped(view.scale * factor) };
  const now = unproject(next, size, at);
  return {
    ...next,
    centre: {
      longitude: next.centre.longitude + under.longitude - now.longitude,
      latitude: next.centre.latitude + under.latitude - now.latitude,
    },
  };
}

export function dragged(view: View, dx: number, dy: number): View {
  return {
    ...view,
    centre: {
      longitude: view.centre.longitude - dx / view.scale / eastM(view.centre.latitude),
      latitude: view.centre.latitude + dy / view.scale / NORTH_M,
    },
  };
}

/** A round length for the scale bar, about a fifth of the width. */
export function bar(view: View, size: Size): { metres: number; pixels: number } {
  const wanted = size.width / 5 / view.scale;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const metres = [5, 2, 1].map((step) => step * power).find((length) => length <= wanted) ?? power;
  return { metres, pixels: metres * view.scale };
}

export type Freshness = "fresh" | "ageing" | "stale";
/** A place older than this is no longer where somebody is. */
export const AGEING_MS = 120_000;
export const STALE_MS = 600_000;

export function freshness(ageMs: number): Freshness {
  if (ageMs >= STALE_MS) return "stale";
  return ageMs >= AGEING_MS ? "ageing" : "fresh";
}

export function centreOf(ring: readonly (readonly [number, number])[]): Degrees {
  const box = boxOf(ring.map(([longitude, latitude]) => ({ longitude, latitude })));
  if (!box) return { longitude: 0, latitude: 0 };
  return { longitude: (box.west + box.east) / 2, latitude: (box.south + box.north) / 2 };
}

function eastM(latitude: number): number {
  return NORTH_M * Math.cos((latitude * Math.PI) / 180);
}

function clamped(scale: number): number {
  return Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale));
}
