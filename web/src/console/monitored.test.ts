import { expect, test } from "vitest";
import type { GroupSnapshot, Monitoring } from "../wire/protocol";
import { againOf, restoredMonitor } from "./monitored";

const snapshot = { id: "east", name: "东城" } as GroupSnapshot;
const told = (scope: Monitoring["scope"], groups: GroupSnapshot[] = [snapshot]): Monitoring => ({
  type: "monitoring",
  scope,
  hidden: true,
  groups,
});

test("what is monitored is asked for again as it was: a list by its groups, any other scope by its name", () => {
  expect(againOf(told("listed"))).toEqual({
    type: "monitor",
    scope: "listed",
    hidden: true,
    groups: ["east"],
  });
  expect(againOf(told("all"))).toEqual({ type: "monitor", scope: "all", hidden: true, groups: [] });
  expect(againOf(told("own"))?.groups).toEqual([]);
});

test("nothing is asked for again where nothing was monitored", () => {
  expect(againOf(told("none"))).toBeNull();
  expect(againOf(told("listed", []))).toBeNull();
});

test("what was kept is taken up as it was written, and anything else is nothing", () => {
  const written = JSON.parse(JSON.stringify(againOf(told("listed"))));
  expect(restoredMonitor(written)).toEqual(againOf(told("listed")));
  for (const odd of [null, 3, "all", {}, { scope: "none" }, { scope: "listed", groups: [7] }, []])
    expect(restoredMonitor(odd)).toBeNull();
});
