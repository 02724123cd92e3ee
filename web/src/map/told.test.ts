import { expect, test } from "vitest";
import { after, type News } from "./told";

const nobody = new Map();
const measured = {
  source: "device",
  accuracy_m: 9,
  datum: "WGS-84",
  longitude: 114.3,
  latitude: 30.6,
} as const;

function place(user: string, age_ms: number | null): News["places"][number] {
  const position = age_ms === null ? null : { ...measured, at_ms: 0, age_ms };
  return { user, name: user, position, battery: { percent: 50 }, motion: null };
}

function news(whole: boolean, places: News["places"], gone: string[] = []): News {
  return { mark: "m.1", whole, places, gone };
}

test("a place that is not told anew stays, and is as old as it was on this page's clock", () => {
  const first = after(nobody, news(true, [place("a", 1_000), place("b", 2_000)]), 50_000);
  const then = after(first, news(false, [place("b", 0)]), 58_000);
  expect([...then.values()].map(({ user, seen_ms }) => [user, seen_ms])).toEqual([
    ["a", 49_000],
    ["b", 58_000],
  ]);
});

test("who is gone, or whose position is not told any more, is let go of, and the whole replaces all", () => {
  const first = after(nobody, news(true, [place("a", 0), place("b", 0), place("c", 0)]), 0);
  expect([...after(first, news(false, [place("b", null)], ["a"]), 0).keys()]).toEqual(["c"]);
  expect([...after(first, news(true, [place("d", 0)]), 0).keys()]).toEqual(["d"]);
});
