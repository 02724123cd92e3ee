import { describe, expect, it } from "vitest";
import { corners, drawn, lines, type Point } from "./outline";

const SQUARE: Point[] = [
  [114.3, 30.5],
  [114.31, 30.5],
  [114.31, 30.51],
  [114.3, 30.51],
];

describe("an outline that is entered", () => {
  it("comes back as it was", () => {
    expect(corners(lines(SQUARE))).toEqual(SQUARE);
  });

  it("may be parted by commas too, and have empty lines", () => {
    expect(corners("114.3, 30.5\n\n  114.31，30.5 \n")).toEqual(SQUARE.slice(0, 2));
    expect(corners(" \n")).toEqual([]);
  });

  it("says which line is wrong", () => {
    for (const wrong of ["114.3", "114.3,", "x y", "114.3 30.5 7", "181 30", "30.5 114.3", "NaN 1"])
      expect(corners(`114.3 30.5\n${wrong}`), wrong).toBe(2);
  });
});

describe("an outline that is drawn", () => {
  it("stands within its sheet, north up, and keeps its shape", () => {
    const [points] = drawn([SQUARE], 200, 100);
    const corner = (points ?? "").split(" ").map((each) => each.split(",").map(Number));
    expect(corner).toHaveLength(4);
    for (const [x, y] of corner) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(200);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(100);
    }
    expect(corner[0]?.[1]).toBe(100); // south is below
    expect((corner[1]?.[0] ?? 0) - (corner[0]?.[0] ?? 0)).toBeCloseTo(
      100 * Math.cos((30.505 * Math.PI) / 180),
      0,
    );
  });

  it("of no corners or one is nothing that breaks", () => {
    expect(drawn([[]], 10, 10)).toEqual([""]);
    expect(drawn([[[114, 30]]], 10, 10)[0]).not.toContain("NaN");
  });
});
