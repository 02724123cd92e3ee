// Rings drawn by a finger, and who stands inside. Pure.

import { type Datum, inWgs84 } from "./datum";

/** [longitude, latitude] in degrees. */
export type Point = readonly [number, number];

/** Must not exceed `MAX_AREA_POINTS` of signaling/limits.py. */
export const MOST_POINTS = 120;

/** Every map here is drawn in WGS-84. */
export function drawn([longitude, latitude]: Point, datum: Datum): Point {
  const at = inWgs84({ longitude, latitude }, datum);
  return [at.longitude, at.latitude];
}

/** The corners of a box in degrees, as a line that was drawn; what lies beyond the edge of the world is cut off. */
export function box(west: number, south: number, east: number, north: number): Point[] {
  const [left, right] = [Math.max(west, -180), Math.min(east, 180)];
  const [low, high] = [Math.max(south, -90), Math.min(north, 90)];
  return [
    [left, low],
    [left, high],
    [right, high],
    [right, low],
  ];
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
