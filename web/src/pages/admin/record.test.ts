import { describe, expect, it } from "vitest";
import { clashes, isNamed, merged } from "./record";

const base = { name: "一组", unit: "a", enabled: true, floor: { queue: 1 } };

describe("two editors of one record", () => {
  it("see what the other changed, and where both did", () => {
    const mine = { ...base, name: "甲", unit: "b" };
    const theirs = { ...base, name: "乙", enabled: false };
    expect(clashes(base, mine, theirs)).toEqual([
      { field: "name", theirs: "乙", mine: "甲" },
      { field: "enabled", theirs: false },
    ]);
    expect(merged(base, mine, theirs)).toEqual({ ...base, name: "甲", unit: "b", enabled: false });
  });

  it("do not clash when they did the same, or nothing", () => {
    const both = { ...base, floor: { queue: 2 } };
    expect(clashes(base, both, { ...both })).toEqual([{ field: "floor", theirs: { queue: 2 } }]);
    expect(clashes(base, base, { ...base })).toEqual([]);
  });
});

it("a field is named as wrong by itself or by a part of it", () => {
  expect(isNamed("users", [{ field: "users.3" }])).toBe(true);
  expect(isNamed("user", [{ field: "user" }])).toBe(true);
  expect(isNamed("user", [{ field: "users" }, { field: "name" }])).toBe(false);
});
