import { expect, test } from "vitest";
import { firstToAnswer, gatheredNobody, isNobody, LASTS_HOURS, temporaryGroup } from "./gathering";

const zhang = { id: "us-1", name: "张三" };
const li = { id: "us-2", name: "李四" };
const east = { id: "gr-1", name: "东区" };

test("people, groups and an area go into one temporary group", () => {
  const ring = [
    [114, 30],
    [115, 30],
    [115, 31],
    [114, 30],
  ] as const;
  expect(temporaryGroup({ groups: [east], people: [zhang, li], ring }, " 塌陷 ", 2)).toEqual({
    type: "call_start",
    kind: "group",
    groups: ["gr-1"],
    users: ["us-1", "us-2"],
    name: "塌陷",
    area: { ring: ring.map((point) => [...point]), datum: "WGS-84" },
    lasts_s: 7200,
  });
});

test("what was not given is not sent: the server has its own", () => {
  const asked = temporaryGroup({ ...gatheredNobody, people: [zhang] }, "", null);
  expect(asked).not.toHaveProperty("area");
  expect(asked).not.toHaveProperty("lasts_s");
  expect(isNobody(gatheredNobody)).toBe(true);
});

test("no group may be given more than a day, nor less than the server's minute", () => {
  for (const hours of LASTS_HOURS) {
    const { lasts_s } = temporaryGroup(gatheredNobody, "", hours);
    expect(lasts_s).toBeGreaterThanOrEqual(60);
    expect(lasts_s).toBeLessThanOrEqual(24 * 3600);
  }
});

test("the first to answer is rung for, never brought in by loudspeaker", () => {
  expect(firstToAnswer([zhang, li])).toEqual({
    type: "call_start",
    kind: "first_to_answer",
    users: ["us-1", "us-2"],
    answering: "manual",
  });
});
