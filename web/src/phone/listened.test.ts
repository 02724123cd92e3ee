import { signal } from "@preact/signals";
import { beforeEach, expect, test, vi } from "vitest";
import { MAX_GROUPS_LISTENED } from "../generated/limits.json";
import { blank, type Picture } from "../wire/picture";
import type { GroupSummary } from "../wire/protocol";
import { Listened } from "./listened";

const group = (id: string): GroupSummary => ({
  id,
  name: id,
  kind: "chat",
  may_talk: true,
  priority: 100,
  members: 5,
});

function city(count: number, selected: string | null = null) {
  const groups = Array.from({ length: count }, (_, n) => group(`g${n}`));
  const picture = signal<Picture>({ ...blank, user: { id: "pq", name: "赵静" }, groups, selected });
  const told: string[][] = [];
  return {
    all: groups.map(({ id }) => id),
    picture,
    told,
    listened: new Listened(picture, (list) => told.push(list)),
  };
}

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
});

test("as many as may be heard are, told at once, and one more is not taken", () => {
  const { all, told, listened } = city(MAX_GROUPS_LISTENED + 2, "g0");
  expect(listened.add(all.slice(0, MAX_GROUPS_LISTENED + 1))).toBe(true);
  expect(told).toEqual([all.slice(1, MAX_GROUPS_LISTENED + 1)]);
  expect(listened.toggle(`g${MAX_GROUPS_LISTENED + 1}`)).toBe(false);
  expect(listened.groups.value).toHaveLength(MAX_GROUPS_LISTENED + 1);
  expect(listened.toggle("g5")).toBe(true);
  expect(listened.toggle(`g${MAX_GROUPS_LISTENED + 1}`)).toBe(true);
  expect(told.at(-1)).toHaveLength(MAX_GROUPS_LISTENED);
});

test("what was kept and is too long is taken as far as it goes", () => {
  const { all, told, listened } = city(MAX_GROUPS_LISTENED + 1);
  localStorage.setItem("poc.listen.pq", JSON.stringify(all));
  listened.welcomed("pq");
  listened.tell();
  expect(told).toEqual([all.slice(0, MAX_GROUPS_LISTENED)]);
});

test("a group one is no member of is not asked for, nor forgotten", () => {
  const { told, listened } = city(1);
  listened.add(["g0", "gone"]);
  expect(told).toEqual([["g0"]]);
  expect(listened.groups.value).toEqual(["g0", "gone"]);
});

test("a group that is heard beside the selected one is heard again after it was that one itself", () => {
  const { picture, told, listened } = city(3, "g0");
  listened.add(["g1"]);
  listened.tell("g1");
  picture.value = { ...picture.value, selected: "g1" };
  listened.follow();
  listened.tell("g0");
  expect(told).toEqual([["g1"], [], ["g1"]]);
  picture.value = { ...picture.value, selected: "g2" };
  listened.follow();
  expect(told).toHaveLength(3);
});

test("who is back in a group he heard hears it again, and one whom the server moved hears where he was", () => {
  const { picture, told, listened } = city(3, "g0");
  const { groups } = picture.value;
  listened.add(["g0", "g1"]);
  for (const now of [groups.slice(0, 1), groups]) {
    picture.value = { ...picture.value, groups: now };
    listened.follow();
  }
  picture.value = { ...picture.value, selected: "g2" };
  listened.follow();
  expect(told).toEqual([["g1"], [], ["g1"], ["g0", "g1"]]);
});

test("of more than may be heard beside another group the last is let go, and not shown as heard", () => {
  const { all, told, listened } = city(MAX_GROUPS_LISTENED + 2, "g0");
  listened.add(all.slice(0, MAX_GROUPS_LISTENED + 1));
  listened.tell(all.at(-1));
  expect(told.at(-1)).toEqual(all.slice(0, MAX_GROUPS_LISTENED));
  expect(listened.groups.value).toEqual(all.slice(0, MAX_GROUPS_LISTENED));
});
