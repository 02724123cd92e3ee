import { expect, test } from "vitest";
import { freshness } from "./degrees";

test("a place ages: two minutes, ten minutes", () => {
  expect([0, 119_999, 120_000, 599_999, 600_000].map(freshness)).toEqual([
    "fresh",
    "fresh",
    "ageing",
    "ageing",
    "stale",
  ]);
});
