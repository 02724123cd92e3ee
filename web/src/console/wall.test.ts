import { expect, test } from "vitest";
import { start } from "../floor/model";
import { nothingGoesOn } from "../wire/affairs";
import { blank, fellSilent, type Picture, told } from "../wire/picture";
import type { GroupSummary, Person } from "../wire/protocol";
import { airOf, type Channel, channelsOf, clock, named, stepped, steppedRow } from "./wall";

const me: Person = { id: "pq", name: "赵静" };
const wang: Person = { id: "wq", name: "王强" };
const group = (id: string): GroupSummary => ({
  id,
  name: id,
  kind: "chat",
  may_talk: true,
  priority: 100,
  members: 5,
});
const picture: Picture = { ...blank, user: me, groups: [group("east"), group("west")] };
const brought = {
  group: "ca-1",
  name: "",
  by: me,
  why: "call",
  tier: 0,
  mayTalk: true,
  call: "ca-1",
  floor: null,
} as const;
const call = {
  type: "call",
  call: "ca-1",
  group: "ca-1",
  kind: "private",
  name: "",
  by: me,
  phase: "running",
  parties: [
    { person: me, part: "joined" },
    { person: wang, part: "joined" },
  ],
} as const;

test("what one was brought into stands first, under the names of those in it; what lasts keeps its order", () => {
  const affairs = {
    ...nothingGoesOn,
    brought: [brought, { ...brought, group: "west", call: "al-1", why: "alert" as const }],
    calls: { "ca-1": { ...call, parties: [...call.parties] } },
  };
  const channels = channelsOf(picture, affairs);
  expect(channels.map(({ id }) => id)).toEqual(["ca-1", "east", "west"]);
  expect(channels[0]?.name).toBe("王强");
  expect(channels[2]?.brought?.why).toBe("alert");
});

test("a channel shows who talks, since when, where it is heard, and who spoke before", () => {
  let now = told(picture, { type: "floor_taken", group: "east", burst: 1000, by: wang });
  now = told(now, { type: "slot", slot: 3, group: "east", burst: 1000, by: wang });
  expect(airOf(now, nothingGoesOn, [start], "east")).toMatchObject({
    state: "taken",
    by: wang,
    sinceMs: 1000,
    slot: 3,
    tier: 0,
  });
  now = told(now, { type: "floor_idle", group: "east", burst: 1000 });
  now = told(now, { type: "slot", slot: 3 });
  expect(airOf(now, nothingGoesOn, [start], "east")).toMatchObject({ state: "taken", by: wang, over: true });
  now = fellSilent(now, 3);
  expect(airOf(now, nothingGoesOn, [start], "east")).toMatchObject({
    state: "idle",
    by: null,
    over: false,
    last: { by: wang, burst: 1000 },
  });
});

test("my own burst, my place in the queue and an emergency are told apart", () => {
  const queued = {
    ...start,
    group: "east",
    phase: { name: "queued", request: "r", position: 2, size: 3 },
  } as const;
  expect(airOf(picture, nothingGoesOn, [start, queued], "east")).toMatchObject({
    state: "asking",
    position: 2,
  });
  expect(airOf(picture, nothingGoesOn, [start, queued], "west")).toMatchObject({
    state: "idle",
    position: null,
  });
  const affairs = { ...nothingGoesOn, conditions: { west: { tier: 2 as const, by: wang } } };
  expect(airOf(picture, affairs, [queued], "west").tier).toBe(2);
});

test("what is monitored stands last, and once; who may dispatch may talk there", () => {
  const floor = { state: "idle" } as const;
  const seen = { kind: "chat", floor, members: 9, online: 0, listening: 0 } as const;
  const monitored = [
    { id: "ca-2", name: "a", ...seen, kind: "temporary" as const },
    { id: "north", name: "north", ...seen },
    { id: "east", name: "east", ...seen },
  ];
  const channels = channelsOf({ ...picture, rights: ["dispatch"] }, nothingGoesOn, monitored);
  expect(channels.map(({ id, kind, mayTalk }) => [id, kind, mayTalk])).toEqual([
    ["east", "chat", true],
    ["west", "chat", true],
    ["north", "monitored", true],
    ["ca-2", "monitored", true],
  ]);
});

test("keys walk over the wall and round its ends", () => {
  const channels = channelsOf(picture, nothingGoesOn);
  expect(stepped(channels, null, 1)).toBe("east");
  expect(stepped(channels, "west", 1)).toBe("east");
  expect(stepped(channels, "east", -1)).toBe("west");
  expect(stepped(channels, "gone", -1)).toBe("west");
  expect(stepped([], "east", 1)).toBeNull();
});

test("keys walk by rows, into a last one that is shorter, and no further", () => {
  const rows = ["a", "b", "c", "d", "e", "f", "g"].map((id) => ({ id }) as Channel);
  const walked = (from: string | null, ...steps: number[]) =>
    steps.reduce<string | null>((at, by) => steppedRow(rows, at, by), from);
  expect([walked("a", 3), walked("b", 3, 3), walked("g", 3), walked("g", -3, -3, -3)]).toEqual([
    "d",
    "g",
    "g",
    "a",
  ]);
  expect([walked("c", 3, -3), walked("gone", 3), steppedRow([], "a", 3)]).toEqual(["c", "a", null]);
});

test("a channel is found by a part of its name, that which begins with it first, and last by what is known to sound so", () => {
  const names = ["City east", "East 1", "West", "EAST 2"];
  const wall = names.map((name) => ({ id: name, name }) as Channel);
  const found = (word: string, ...known: string[]) =>
    named(wall, word, new Set(known)).map(({ name }) => name);
  expect(found(" east ")).toEqual(["East 1", "EAST 2", "City east"]);
  expect(found("east", "West", "East 1")).toEqual(["East 1", "EAST 2", "City east", "West"]);
  expect([found("north"), found("  ", "West")]).toEqual([[], []]);
});

test("talk is counted in minutes and seconds", () => {
  expect([0, 7400, 61_000, -5].map(clock)).toEqual(["0:00", "0:07", "1:01", "0:00"]);
});
