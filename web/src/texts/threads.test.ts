import { expect, test } from "vitest";
import type { Person, TextInfo } from "../wire/protocol";
import { read, sorted, type Threads, textsTold, unreadIn, unreadOf, whereOf, withPage } from "./threads";

const me: Person = { id: "me", name: "赵静" };
const wang: Person = { id: "wang", name: "王强" };
const inGroup = (number: number, by = wang): TextInfo => ({
  id: `t${number}`,
  group: "east",
  by,
  kind: "text",
  text: `第${number}句`,
  number,
  at_ms: number * 1000,
});
const between = (number: number, by: Person, to: Person): TextInfo => ({
  ...inGroup(number, by),
  id: `p${number}`,
  group: null as never,
  to,
});
const none: Threads = {};

test("a message belongs to its group, or to the other one of two", () => {
  expect(whereOf(inGroup(1), "me")).toEqual({ group: "east" });
  expect(whereOf(between(1, wang, me), "me")).toEqual({ user: "wang" });
  expect(whereOf(between(1, me, wang), "me")).toEqual({ user: "wang" });
});

test("what waits is counted once for each message and gone when it was read", () => {
  let told = textsTold(none, { type: "texted", message: inGroup(3) }, "me");
  told = textsTold(told, { type: "texted", message: inGroup(4) }, "me");
  told = textsTold(told, { type: "texted", message: inGroup(4) }, "me");
  expect(unreadIn(told, { group: "east" })).toBe(2);
  expect(unreadOf(told)).toBe(2);
  expect(unreadOf(read(told, { group: "east" }))).toBe(0);
  expect(read(none, { group: "east" })).toBe(none);
});

test("after a welcome only what the server names still waits", () => {
  const before = textsTold(none, { type: "texted", message: inGroup(3) }, "me");
  const thread = { person: wang, unread: 1, last: between(7, wang, me) };
  const after = textsTold(before, { type: "text_unread", threads: [thread], all: true }, "me");
  expect(unreadIn(after, { group: "east" })).toBe(0);
  expect(unreadIn(after, { user: "wang" })).toBe(1);
  const other = { group: "east", group_name: "东城", unread: 4, last: inGroup(9) };
  const changed = textsTold(after, { type: "text_unread", threads: [other], all: false }, "me");
  expect([unreadIn(changed, { group: "east" }), unreadIn(changed, { user: "wang" })]).toEqual([4, 1]);
});

test("one's own message is kept once and does not count as unread", () => {
  const kept = { type: "text_kept", id: "r", message: inGroup(4, me) } as const;
  const told = textsTold(textsTold(none, kept, "me"), kept, "me");
  expect(told["g:east"]?.messages).toHaveLength(1);
  expect(unreadOf(told)).toBe(0);
});

test("older pages go before what came since, in order, each message once", () => {
  const told = textsTold(none, { type: "texted", message: inGroup(5) }, "me");
  const paged = withPage(told, { group: "east" }, [inGroup(3), inGroup(4), inGroup(5)], false);
  expect(paged["g:east"]?.messages.map(({ number }) => number)).toEqual([3, 4, 5]);
  expect(paged["g:east"]).toMatchObject({ more: false, unread: 1 });
});

test("threads stand by their latest message; the other one is known by his name", () => {
  let told = textsTold(none, { type: "texted", message: inGroup(5) }, "me");
  told = textsTold(told, { type: "texted", message: between(9, wang, me) }, "me");
  expect(sorted(told).map(({ key }) => key)).toEqual(["p:wang", "g:east"]);
  expect(told["p:wang"]?.person).toEqual(wang);
});

test("the threads that were read are listed on any device, and what waits is what the server says", () => {
  const lately = { group: "east", group_name: "东城", unread: 2, last: inGroup(6) };
  const answered = { person: wang, unread: 0, last: between(9, me, wang) };
  const told = textsTold(none, { type: "threads", id: "r", threads: [answered, lately], more: false }, "me");
  expect(sorted(told).map(({ key, unread, more }) => [key, unread, more])).toEqual([
    ["p:wang", 0, true],
    ["g:east", 2, true],
  ]);
  expect(told["p:wang"]).toMatchObject({ person: wang, last: { number: 9 } });
});

test("what came, or was read, since the threads were asked for counts as the page counted it", () => {
  let now = textsTold(none, { type: "texted", message: inGroup(6) }, "me");
  now = textsTold(now, { type: "texted", message: between(9, wang, me) }, "me");
  now = read(now, { user: "wang" });
  const before = { group: "east", group_name: "东城", unread: 0, last: inGroup(5) };
  const waits = { person: wang, unread: 1, last: between(9, wang, me) };
  const told = textsTold(now, { type: "threads", id: "r", threads: [waits, before], more: false }, "me");
  expect([unreadIn(told, { group: "east" }), unreadIn(told, { user: "wang" })]).toEqual([1, 0]);
  expect(told["g:east"]?.last?.number).toBe(6);
});
