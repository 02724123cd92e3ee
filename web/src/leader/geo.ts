// The leader's map as arithmetic: degrees to the plane and back, rings drawn by a finger, who stands inside. Pure.

import { type Datum, inWgs84 } from "../map/datum";

/** [longitude, latitude] in degrees. */
export type Point = readonly [number, number];
export type Box = { west: number; south: number; east: number; north: number };

/** Must not exceed `MAX_AREA_POINTS` of signaling/limits.py. */
export const MOST_POINTS = 120;
const MARGIN = 0.08;
/** A map of one place still shows its surroundings: about 500 m. */
const LEAST_SPAN = 0.005;

/** Every map here is drawn in WGS-84. */
export function drawn([longitude, latitude]: Point, datum: Datum): Point {
  const at = inWgs84({ longitude, latitude }, datum);
  return [at.longitude, at.latitude];
}

/** What holds all points, with a margin; null without any. */
export function boxOf(points: readonly Point[]): Box | null {
  if (points.length === 0) return null;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return padded({
    west: Math.min(...xs),
    east: Math.max(...xs),
    south: Math.min(...ys),
    north: Math.max(...ys),
  });
}

function padded({ west, south, east, north }: Box): Box {
  const wide = Math.max(east - west, LEAST_SPAN) * (0.5 + MARGIN);
  const high = Math.max(north - south, LEAST_SPAN) * (0.5 + MARGIN);
  const [x, y] = [(west + east) / 2, (south + north) / 2];
  return { west: x - wide, east: x + wide, south: y - high, north: y + high };
}

/** The box scaled around its centre: below 1 shows less. */
export function zoomed({ west, south, east, north }: Box, by: number): Box {
  const [x, y] = [(west + east) / 2, (south + north) / 2];
  const [wide, high] = [((east - west) / 2) * by, ((north - south) / 2) * by];
  return { west: x - wide, east: x + wide, south: y - high, north: y + high };
}

export type View = {
  toPlane: (point: Point) => Point;
  toDegrees: (point: Point) => Point;
};

/** Degrees ↔ a plane of `width` × `height`, north up, a metre as long in each direction, the box in its middle. */
export function view(box: Box, width: number, height: number): View {
  const shrink = Math.cos((((box.south + box.north) / 2) * Math.PI) / 180);
  const scale = Math.min(width / ((box.east - box.west) * shrink), height / (box.north - box.south));
  const [x0, y0] = [(box.west + box.east) / 2, (box.south + box.north) / 2];
  return {
    toPlane: ([x, y]) => [width / 2 + (x - x0) * shrink * scale, height / 2 - (y - y0) * scale],
    toDegrees: ([x, y]) => [x0 + (x - width / 2) / scale / shrink, y0 - (y - height / 2) / scale],
  };
}

/** A drawn line as a closed ring of few points; null when it encloses nothing. */
export function ringOf(line: readonly Point[]): Point[] | null {
  const step = Math.max(1, Math.ceil(line.length / (MOST_POINTS - 1)));
  const kept = line.filter((_, i) => i % step === 0);
  const distinct = kept.filter((point, i) => i === 0 || !same(point, kept[i - 1] as Point));
  const first = distinct[0];
  if (!first || distinct.length < 3) return null;
  const last = distinct.at(-1) as Point;
  return same(first, last) ? [...distinct] : [...distinct, first];
}

export function crosses(ring: readonly Point[]): boolean {
  const count = ring.length - 1;
  for (let i = 0; i < count; i++) {
    for (let j = i + 2; j < count; j++) {
      if (i === 0 && j === count - 1) continue;
      if (meet(at(ring, i), at(ring, i + 1), at(ring, j), at(ring, j + 1))) return true;
    }
  }
  return false;
}

export function inside(ring: readonly Point[], [x, y]: Point): boolean {
  let odd = false;
  for (let i = 0; i + 1 < ring.length; i++) {
    const [ax, ay] = at(ring, i);
    const [bx, by] = at(ring, i + 1);
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

function meet(a: Point, b: Point, c: Point, d: Point): boolean {
  // Edges on one straight line meet only where they overlap.
  for (const axis of [0, 1] as const) {
    if (Math.max(a[axis], b[axis]) < Math.min(c[axis], d[axis])) return false;
    if (Math.max(c[axis], d[axis]) < Math.min(a[axis], b[axis])) return false;
  }
  return side(a, b, c) * side(a, b, d) <= 0 && side(c, d, a) * side(c, d, b) <= 0;
}

function side([ax, ay]: Point, [bx, by]: Point, [px, py]: Point): number {
  return Math.sign((bx - ax) * (py - ay) - (by - ay) * (px - ax));
}

function same([ax, ay]: Point, [bx, by]: Point): boolean {
  return ax === bx && ay === by;
}

function at(ring: readonly Point[], i: number): Point {
  return ring[i] as Point;
}
