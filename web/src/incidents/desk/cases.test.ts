import { expect, test } from "vitest";
import { type Case, type CaseEvent, crew, isBarred, namedIn } from "./cases";

const found = {
  members: ["u1", "u2", "u3"],
  names: { u1: "甲", u2: "乙", u3: "丙" },
  taps: { u2: "officer.accepted", u3: "officer.on_scene" },
} as unknown as Case;

test("who is on the scene stands before who is on the way, and who said nothing last", () => {
  expect(crew(found).map(({ name, tap }) => [name, tap])).toEqual([
    ["丙", "on_scene"],
    ["乙", "accepted"],
    ["甲", null],
  ]);
});

test("an event names who did it, or who came and went", () => {
  const name = (user: string) => found.names[user] ?? user;
  const event = (data: Record<string, unknown>) => ({ data }) as CaseEvent;
  expect(namedIn(event({ user: "u1", name: "王" }), name)).toBe("王");
  expect(namedIn(event({ user: "u1" }), name)).toBe("甲");
  expect(namedIn(event({ joined: ["u1"], left: ["u9"] }), name)).toBe("+甲 −u9");
  expect(namedIn(event({}), name)).toBe("");
});

test("who may not handle cases does not ask for them", () => {
  expect([[], ["dispatch", "incidents"], ["dispatch", "monitor"]].map(isBarred)).toEqual([
    false,
    false,
    true,
  ]);
});
