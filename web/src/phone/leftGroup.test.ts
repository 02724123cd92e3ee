import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import type { Brought } from "../wire/affairs";
import { blank, told, welcomed } from "../wire/picture";
import type { GroupSummary, ServerMessage, Welcome } from "../wire/protocol";
import { LeftGroup, SETTLES_MS } from "./leftGroup";

const group = (id: string, kind: GroupSummary["kind"] = "chat"): GroupSummary => ({
  id,
  name: `group ${id}`,
  kind,
  may_talk: true,
  priority: 0,
  members: 3,
});

const groups = (selected: string | null, ...ids: string[]): ServerMessage => ({
  type: "groups",
  groups: ids.map((id) => group(id)),
  selected,
});

function member(selected: string | null, own: GroupSummary[], wanted: string | null = selected) {
  const picture = signal({ ...blank, groups: own, selected });
  const brought = signal<Brought | null>(null);
  const clock = { now: 0 };
  const chosen: string[] = [];
  const tones: string[] = [];
  let hear: (message: ServerMessage) => void = () => undefined;
  const left = new LeftGroup(
    {
      picture,
      brought,
      follow: (listener) => {
        hear = listener;
      },
      move: (one) => {
        chosen.push(one);
        picture.value = { ...picture.value, selected: one };
      },
      tone: (name) => tones.push(name),
    },
    () => wanted,
    () => clock.now,
  );
  const tell = (message: ServerMessage) => {
    picture.value =
      message.type === "welcome" ? welcomed(picture.value, message) : told(picture.value, message);
    hear(message);
  };
  tell({ type: "pong", id: "1", server_time_ms: 1 });
  const names = () => left.notice.value?.names ?? null;
  return { picture, brought, clock, chosen, tones, left, tell, names };
}

test("who comes into a group has it among his own, after those he had, and stays where he is; those of incidents stay", () => {
  const { picture, chosen, tell, names } = member("b", [group("b"), group("case", "incident")]);
  tell(groups("b", "a", "b"));
  expect(picture.value.groups.map(({ id }) => id)).toEqual(["b", "a", "case"]);
  expect([picture.value.selected, names(), chosen]).toEqual(["b", null, []]);
});

test("who is out of the group he talked in is told which it was, and his next press only confirms", () => {
  const { chosen, tones, left, tell, names } = member("a", [group("a"), group("b")]);
  tell(groups(null, "b"));
  expect([names(), chosen]).toEqual([["group a"], ["b"]]);
  expect(left.allows("here")).toBe(false);
  expect([left.notice.value?.warned, tones]).toEqual([true, ["incoming", "denied"]]);
  expect(left.allows("here")).toBe(true);
  expect(left.notice.value).toBeNull();
});

test("who has seen it, or chose a group himself, talks with the next press", () => {
  const { left, tell } = member("a", [group("a"), group("b")]);
  tell(groups(null, "b"));
  left.seen();
  expect(left.allows("here")).toBe(true);
});

test("who was put out of his group while he had no connection is told so when he is back", () => {
  const { left, tell, names } = member("a", [group("a"), group("b")]);
  tell({
    type: "welcome",
    groups: [group("b")],
    selected: null,
    roles: [],
    rights: [],
  } as unknown as Welcome);
  expect([names(), left.allows("here")]).toEqual([["group a"], false]);
});

test("keys that go by place wait also after a group in which one did not talk; the others do not", () => {
  const { left, tell, names } = member("a", [group("a"), group("b"), group("c")]);
  tell(groups("a", "a", "c"));
  expect([names(), left.allows("here")]).toEqual([["group b"], true]);
  tell(groups("a", "a"));
  expect([left.allows("wall"), left.allows("wall")]).toEqual([false, true]);
});

test("what several changes took away is told together", () => {
  const { tell, names } = member("a", [group("a"), group("b"), group("c")]);
  tell(groups("a", "a", "c"));
  tell(groups(null, "c"));
  expect(names()).toEqual(["group b", "group a"]);
});

test("a press that was on its way when a call ended does not speak elsewhere; a later one does", () => {
  const { brought, clock, left, tell } = member("a", [group("a")]);
  const over = (next: Brought | null = null) => {
    brought.value = { call: "ca-1", group: "ca-1" } as Brought;
    tell({ type: "pong", id: "2", server_time_ms: 1 });
    brought.value = next;
    tell({ type: "call_ended", call: "ca-1" } as ServerMessage);
  };
  over();
  clock.now = SETTLES_MS - 1;
  expect([left.allows("here"), left.notice.value?.why, left.allows("here")]).toEqual([false, "call", true]);
  over();
  clock.now += SETTLES_MS;
  expect(left.allows("here")).toBe(true);
  left.leaves();
  over();
  expect(left.allows("here")).toBe(true);
  clock.now += 10 * SETTLES_MS;
  over({ call: "ca-2", group: "ca-2" } as Brought);
  expect(left.allows("brought"), "what he was brought into takes one press").toBe(true);
});

test("when an alert or a call in the very group one talks in is over, the next press speaks there as before", () => {
  const { brought, left, tell } = member("a", [group("a")]);
  for (const ended of ["brought_out", "call_ended"] as const) {
    brought.value = { call: "al-1", group: "a" } as Brought;
    tell({ type: "pong", id: "3", server_time_ms: 1 });
    brought.value = null;
    tell({ type: ended, call: "al-1", group: "a" } as ServerMessage);
    expect([left.allows("here"), left.notice.value]).toEqual([true, null]);
  }
});

test("what a dispatcher chose by hand is talked in at once, whatever else he was taken out of", () => {
  const { left, tell, names } = member("a", [group("a"), group("b"), group("c")]);
  tell(groups("a", "a", "c"));
  expect([left.allows("chosen"), names(), left.allows("wall")]).toEqual([true, ["group b"], false]);
  left.seen();
  left.over();
  expect(left.allows("chosen")).toBe(false);
});

test("keys that go by place do not wait for the end of what has a place of its own", () => {
  const { brought, left, tell } = member("a", [group("a")]);
  brought.value = { call: "al-1", group: "sos" } as Brought;
  tell({ type: "pong", id: "4", server_time_ms: 1 });
  brought.value = null;
  tell({ type: "brought_out", call: "al-1", group: "sos" } as ServerMessage);
  expect(left.allows("wall")).toBe(true);
  // The desk has seen that its space bar talked there.
  brought.value = { call: "ca-1", group: "ca-1" } as Brought;
  tell({ type: "pong", id: "6", server_time_ms: 1 });
  brought.value = null;
  left.over();
  tell({ type: "call_ended", call: "ca-1" } as ServerMessage);
  expect(left.allows("wall")).toBe(false);
});

test("a case that begins beneath a call does not keep a key from speaking in the call", () => {
  const { brought, left, tell } = member("a", [group("a")]);
  brought.value = { call: "ca-1", group: "ca-1" } as Brought;
  tell({ type: "pong", id: "5", server_time_ms: 1 });
  tell({
    type: "switched",
    group: { ...group("case", "incident"), floor: { state: "idle" } },
  } as unknown as ServerMessage);
  expect(left.allows("brought")).toBe(true);
});

test("a press that was on its way as a case took the phone along does not speak there", () => {
  const { left, tell } = member("a", [group("a")]);
  tell({
    type: "switched",
    group: { ...group("case", "incident"), floor: { state: "idle" } },
  } as unknown as ServerMessage);
  expect([left.allows("here"), left.allows("here")]).toEqual([false, true]);
});

test("who was brought into a call speaks there, whatever he has not seen", () => {
  const { left, tell, names } = member("a", [group("a"), group("b")]);
  tell(groups(null, "b"));
  expect([left.allows("brought"), names()]).toEqual([true, ["group a"]]);
});

test("a case that was taken away says so itself; the next press only confirms, unless that was seen", () => {
  const { left } = member("a", [group("a")]);
  left.ofCase(true);
  expect([left.allows("here"), left.allows("here")]).toEqual([false, true]);
  left.ofCase(true);
  left.ofCase(false);
  expect(left.allows("here")).toBe(true);
});

test("the first group of one who had none is chosen, and nothing is said", () => {
  const { chosen, tell, names } = member(null, []);
  tell(groups(null, "b"));
  expect([names(), chosen]).toEqual([null, ["b"]]);
});

test("whose groups change while he is still coming into the one he chose talks in that one", () => {
  const { chosen, tell, names } = member(null, [group("a"), group("b")], "b");
  tell(groups(null, "a", "b", "c"));
  expect([names(), chosen]).toEqual([null, ["b"]]);
});
