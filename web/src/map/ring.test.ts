import { expect, test } from "vitest";
import { box, crosses, inside, MOST_POINTS, type Point, ringOf } from "./ring";

test("a drawn line becomes a closed ring of few points; what encloses nothing is none", () => {
  const circle: Point[] = Array.from({ length: 1000 }, (_, i) => [
    114 + Math.cos((i / 1000) * 6.28),
    30 + Math.sin((i / 1000) * 6.28),
  ]);
  const ring = ringOf(circle);
  expect(ring?.length).toBeLessThanOrEqual(MOST_POINTS);
  expect(ring?.[0]).toEqual(ring?.at(-1));
  expect(crosses(ring ?? [])).toBe(false);
  expect(
    ringOf([
      [1, 1],
      [1, 1],
      [1, 1],
    ]),
  ).toBeNull();
  const straight: Point[] = [
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 0],
    [3, 1],
    [0, 1],
    [0, 0],
  ];
  expect(crosses(straight)).toBe(false);
  const eight: Point[] = [
    [0, 0],
    [1, 1],
    [1, 0],
    [0, 1],
    [0, 0],
  ];
  expect(crosses(eight)).toBe(true);
});

test("what a map shows is an area as if it were drawn, and none of it is beyond the edge of the world", () => {
  const ring = ringOf(box(114.2, 30.5, 114.4, 30.6)) ?? [];
  expect([ring.length, crosses(ring)]).toEqual([5, false]);
  expect(inside(ring, [114.3, 30.55])).toBe(true);
  expect(inside(ring, [114.5, 30.55])).toBe(false);
  expect(box(-400, -95, 400, 95)).toEqual([
    [-180, -90],
    [-180, 90],
    [180, 90],
    [180, -90],
  ]);
});
