import { expect, test } from "vitest";
import { boxOf, crosses, inside, MOST_POINTS, type Point, ringOf, view } from "./geo";
import { choice, everyone, nobody, recipients, toggled, within } from "./targets";

const square: Point[] = [
  [114, 30],
  [114.1, 30],
  [114.1, 30.1],
  [114, 30.1],
  [114, 30],
];

test("degrees go to the plane and back, north is up, and a metre is as long each way", () => {
  const box = boxOf(square);
  if (!box) throw new Error("no box");
  const { toPlane, toDegrees } = view(box, 400, 300);
  const [x, y] = toDegrees(toPlane([114.03, 30.07]));
  expect(x).toBeCloseTo(114.03, 9);
  expect(y).toBeCloseTo(30.07, 9);
  expect(toPlane([114, 30.1])[1]).toBeLessThan(toPlane([114, 30])[1]);
  const wide = toPlane([114.1, 30])[0] - toPlane([114, 30])[0];
  const high = toPlane([114, 30])[1] - toPlane([114, 30.1])[1];
  expect(wide / high).toBeCloseTo(Math.cos((30.05 * Math.PI) / 180), 2);
  expect(boxOf([])).toBeNull();
});

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

test("who stands inside is counted, and the choice goes over the wire and back", () => {
  const place = (user: string, at: Point) => ({ user, name: user, ageMs: 0, at });
  const places = [place("in", [114.05, 30.05]), place("out", [114.2, 30.05])];
  expect(inside(square, [114.05, 30.05])).toBe(true);
  expect(within(places, square).map(({ user }) => user)).toEqual(["in"]);
  expect(recipients(nobody)).toEqual({ everyone: true });
  const chosen = { groups: toggled(nobody.groups, "g"), users: new Set(["u"]), ring: square };
  const to = recipients(chosen);
  expect(to).toEqual({ groups: ["g"], users: ["u"], area: { ring: square, datum: "WGS-84" } });
  expect(choice(to)).toEqual(chosen);
  expect(everyone(choice({ everyone: true }))).toBe(true);
});
