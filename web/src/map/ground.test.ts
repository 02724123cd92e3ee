import { expect, test } from "vitest";
import { bar, boxOf, dragged, fitted, freshness, project, unproject, type View, zoomed } from "./ground";

const size = { width: 800, height: 600 };
const view: View = { centre: { longitude: 114.36, latitude: 30.56 }, scale: 0.2 };

test("the centre is in the middle; north is up, east is right", () => {
  expect(project(view, size, view.centre)).toEqual({ x: 400, y: 300 });
  const point = project(view, size, { longitude: 114.361, latitude: 30.561 });
  expect(point.x).toBeGreaterThan(400);
  expect(point.y).toBeLessThan(300);
  // 0.001° of latitude are 111 m: 22 pixels at a fifth of a pixel per metre.
  expect(300 - point.y).toBeCloseTo(22.26, 1);
});

test("what is under a pixel is where that pixel is drawn", () => {
  const at = unproject(view, size, { x: 123, y: 456 });
  const back = project(view, size, at);
  expect(back.x).toBeCloseTo(123, 6);
  expect(back.y).toBeCloseTo(456, 6);
});

test("a fitted view shows all of its box", () => {
  const box = boxOf([
    { longitude: 114.3, latitude: 30.5 },
    { longitude: 114.4, latitude: 30.6 },
  ]);
  if (!box) throw new Error("no box");
  const fit = fitted(box, size);
  for (const corner of [
    { longitude: box.west, latitude: box.south },
    { longitude: box.east, latitude: box.north },
  ]) {
    const { x, y } = project(fit, size, corner);
    expect(x).toBeGreaterThan(0);
    expect(x).toBeLessThan(size.width);
    expect(y).toBeGreaterThan(0);
    expect(y).toBeLessThan(size.height);
  }
  expect(boxOf([])).toBeNull();
});

test("zooming keeps what is under the pointer, dragging moves with the hand", () => {
  const at = { x: 600, y: 100 };
  const under = unproject(view, size, at);
  const near = zoomed(view, size, at, 2);
  expect(project(near, size, under).x).toBeCloseTo(600, 1);
  expect(project(near, size, under).y).toBeCloseTo(100, 1);
  const moved = project(dragged(view, 30, -20), size, view.centre);
  expect(moved.x).toBeCloseTo(430, 1);
  expect(moved.y).toBeCloseTo(280, 1);
});

test("the scale bar is a round length", () => {
  expect(bar(view, size)).toEqual({ metres: 500, pixels: 100 });
  expect(bar({ ...view, scale: 1.7 }, size).metres).toBe(50);
});

test("a place ages: two minutes, ten minutes", () => {
  expect([0, 119_999, 120_000, 599_999, 600_000].map(freshness)).toEqual([
    "fresh",
    "fresh",
    "ageing",
    "ageing",
    "stale",
  ]);
});
