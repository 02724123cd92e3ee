import { expect, test } from "vitest";
import { after, arranged, joined, type Present, standing } from "./presence";

const here = (user: string, more: Partial<Present> = {}): Present => ({
  user,
  name: user,
  badge: "",
  online: true,
  listening: true,
  busy: false,
  reason: null,
  emergency: false,
  on_duty: false,
  group: null,
  talking_in: null,
  ...more,
});
const person = (id: string) => ({ id, name: id, badge: "", banned: false });
const map = (...all: Present[]) => new Map(all.map((one) => [one.user, one]));

test("who needs help stands first, then who talks, then who is there, then the rest", () => {
  const there = map(here("a"), here("b", { talking_in: "g" }), here("c", { emergency: true, online: false }));
  const all = joined(["z", "a", "b", "c"].map(person), there, undefined);
  expect(arranged(all, "all").map(({ id }) => id)).toEqual(["c", "b", "a", "z"]);
  expect(arranged(all, "online").map(({ id }) => id)).toEqual(["b", "a"]);
  expect(arranged(all, "emergency").map(({ id }) => id)).toEqual(["c"]);
});

test("one who is there is listed although the page of names does not reach to him; oneself is not", () => {
  const all = joined([person("a"), person("me")], map(here("q"), here("me")), "me");
  expect(all.map(({ id }) => id)).toEqual(["a", "q"]);
});

test("the dot tells what matters most", () => {
  expect(standing(null)).toBe("offline");
  expect(standing(here("a"))).toBe("listening");
  expect(standing(here("a", { listening: false }))).toBe("deaf");
  expect(standing(here("a", { busy: true }))).toBe("busy");
  expect(standing(here("a", { busy: true, listening: false }))).toBe("deaf");
  expect(standing(here("a", { talking_in: "g", busy: true }))).toBe("talking");
  expect(standing(here("a", { emergency: true, online: false }))).toBe("emergency");
});

test("news takes in who came or is different and lets go of who went; the whole replaces all", () => {
  const known = map(here("a"), here("b"));
  const news = { mark: "m.2", whole: false, people: [here("a", { busy: true }), here("c")], gone: ["b"] };
  const now = after(known, news);
  expect([...now.values()]).toEqual([here("a", { busy: true }), here("c")]);
  expect(after(known, { ...news, people: [], gone: [] })).toBe(known);
  expect([...after(now, { ...news, whole: true, people: [here("d")], gone: [] }).keys()]).toEqual(["d"]);
});
