import { expect, test } from "vitest";
import { inside, type Point } from "../map/ring";
import { choice, everyone, nobody, recipients, toggled, within } from "./targets";

const square: Point[] = [
  [114, 30],
  [114.1, 30],
  [114.1, 30.1],
  [114, 30.1],
  [114, 30],
];

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
