import { expect, test } from "vitest";
import { above, type Mark, same } from "./marks";

const stands: Mark = {
  id: "u-1",
  kind: "person",
  at: { longitude: 114.3, latitude: 30.6 },
  label: "赵长青",
  title: "赵长青 刚刚",
  data: { user: "u-1", age: "fresh", standing: "listening" },
};

test("a mark is drawn anew when anything of it is different, and only then", () => {
  expect(same(stands, { ...stands, at: { ...stands.at }, data: { ...stands.data }, chosen: false })).toBe(
    true,
  );
  for (const other of [
    { kind: "sos" as const },
    { at: { longitude: 114.3, latitude: 30.61 } },
    { label: "赵长青 · 2 分钟前" },
    { title: "赵长青 1 分钟前" },
    { chosen: true },
    { accuracyM: 12 },
    { data: { ...stands.data, standing: "talking" } },
    { data: {} },
  ])
    expect(same(stands, { ...stands, ...other })).toBe(false);
});

test("an SOS lies over everybody, whoever is chosen", () => {
  expect(above({ ...stands, kind: "sos" })).toBeGreaterThanOrEqual(above({ ...stands, chosen: true }));
});
