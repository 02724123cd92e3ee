import { expect, test } from "vitest";
import { step } from "./steps";

const MARKS = [
  { id: "b", title: "Bo", urgent: 0 },
  { id: "a", title: "An", urgent: 0 },
  { id: "sos", title: "Zhou", urgent: 1 },
];
const go = (key: string, from: string) => step(key, from, MARKS, ({ urgent }) => urgent);

test("the arrows go round, the most urgent first", () => {
  expect(["sos", "a", "b"].map((from) => go("ArrowRight", from))).toEqual(["a", "b", "sos"]);
  expect(["sos", "a", "b"].map((from) => go("ArrowUp", from))).toEqual(["b", "sos", "a"]);
  expect([go("Home", "b"), go("End", "sos")]).toEqual(["sos", "b"]);
});

test("other keys, a mark that is gone and a mark alone lead nowhere", () => {
  expect([go("Enter", "a"), go("ArrowRight", "gone")]).toEqual([null, null]);
  expect(step("ArrowRight", "a", MARKS.slice(1, 2), () => 0)).toBeNull();
});
