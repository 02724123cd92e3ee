import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { blank } from "../wire/picture";
import type { GroupSnapshot, IncidentSummary, ServerMessage } from "../wire/protocol";
import { HeldIncidents } from "./held";
import {
  comesWithTone,
  incidentsTold,
  leaving,
  listed as listedOf,
  nextTap,
  noIncidents,
  SHOWN,
  withIncidentGroups,
} from "./incidents";

const incident = (code: string, more: Partial<IncidentSummary> = {}): IncidentSummary => ({
  code,
  title: code,
  state: "dispatched",
  open: true,
  group: { id: `in-${code}`, name: code, kind: "incident", may_talk: true, priority: 100, members: 2 },
  ...more,
});
const changed = (one: IncidentSummary, mine = true): ServerMessage => ({
  type: "incident_changed",
  incident: one,
  mine,
});
const group = (id: string) => ({ id }) as GroupSnapshot;
const after = (...messages: ServerMessage[]) =>
  messages.reduce((before, one) => incidentsTold(before, one), noIncidents);

test("the urgent come first, then what rules bring forward, then the newest", () => {
  const seen = after(
    changed(incident("old", { since_ms: 1 })),
    changed(incident("new", { since_ms: 2 })),
    changed(incident("watched", { attention: 2 })),
    changed(incident("fire", { urgent: true })),
  );
  expect(seen.list.map(({ code }) => code)).toEqual(["fire", "watched", "new", "old"]);
});

test("what is closed, or is no longer mine, goes", () => {
  const open = after(changed(incident("a")), changed(incident("b")));
  expect(incidentsTold(open, changed(incident("a", { open: false }))).list).toHaveLength(1);
  expect(incidentsTold(open, changed(incident("b"), false)).list).toHaveLength(1);
});

test("the next tap follows the last, and after done there is none", () => {
  expect(nextTap(incident("a"))).toBe("accepted");
  expect(nextTap(incident("a", { tap: "on_the_way" }))).toBe("on_scene");
  expect(nextTap(incident("a", { tap: "done" }))).toBeNull();
});

test("the way back is offered until another group is selected", () => {
  const switched = after({ type: "switched", group: group("in-a"), back: "east" });
  expect(switched.switched?.back).toBe("east");
  expect(
    incidentsTold(switched, { type: "selected", id: "1", group: group("in-a") }).switched,
  ).not.toBeNull();
  expect(incidentsTold(switched, { type: "selected", id: "1", group: group("east") }).switched).toBeNull();
});

test("open incidents bring their groups, and closed ones take them away", () => {
  const lasting = { ...incident("x").group, id: "east", kind: "chat" } as const;
  const stale = { ...incident("gone").group } as NonNullable<IncidentSummary["group"]>;
  const groups = withIncidentGroups(
    [lasting as NonNullable<IncidentSummary["group"]>, stale],
    after(changed(incident("a"))),
  );
  expect(groups.map(({ id }) => id)).toEqual(["east", "in-a"]);
});

test("whose group was taken away is told why, until he chooses himself or it comes back", () => {
  const before = after(changed(incident("a")), changed(incident("b")));
  const why = (more: Partial<IncidentSummary>, mine = true) =>
    leaving(before, "in-a", "east", changed(incident("a", { open: false, ...more }), mine))?.why;
  expect(why({ state: "suspended" })).toBe("suspended");
  expect(why({ state: "closed" }, false)).toBe("closed");
  expect(why({ state: "evaluated" })).toBe("closed");
  expect(why({ state: "filed" })).toBe("parked");
  expect(why({ state: "void" }, false)).toBe("void");
  expect(why({ state: "dispatched", open: true }, false)).toBe("not_mine");
  expect(leaving(before, "in-a", "east")?.why).toBe("parked");
  expect(leaving(before, "east", "west")).toBeNull();

  const told = { ...before, left: leaving(before, "in-a", "east") };
  const selected = (id: string) =>
    incidentsTold(told, { type: "selected", id: "1", group: group(id) }).left?.title;
  expect(selected("east")).toBe("a");
  expect(selected("in-b")).toBeUndefined();
  expect(incidentsTold(told, changed(incident("b"))).left?.title).toBe("a");
  expect(incidentsTold(told, changed(incident("a"))).left).toBeNull();
});

test("who has more cases than are listed stays in the group of his own when he is back", () => {
  const groupOf = (code: string) => incident(code).group as NonNullable<IncidentSummary["group"]>;
  const listed = [...Array(SHOWN)].map((_, n) => incident(`c${n}`));
  const back = (list: IncidentSummary[]) => {
    const picture = signal({ ...blank, groups: [groupOf("mine"), groupOf("c0")], selected: "in-mine" });
    const chosen: string[] = [];
    const select = (id: string) => {
      chosen.push(id);
      picture.value = { ...picture.value, selected: id };
    };
    const tones: string[] = [];
    const tone = (name: string) => tones.push(name);
    const choice = { select, move: select };
    const held = new HeldIncidents({ picture, choice, tone, ask: () => new Promise(() => undefined) });
    held.told({ type: "incidents", id: "1", incidents: list, more: list.length >= SHOWN });
    return { held, picture, chosen, tones };
  };
  const { held, picture, chosen } = back(listed);
  held.told(changed(incident("c1", { title: "other words" })));
  held.told(changed(incident("c2", { open: false }), false));
  expect(picture.value.groups.map(({ id }) => id)).toContain("in-mine");
  held.told(changed(incident("mine")));
  expect(picture.value.groups.filter(({ id }) => id === "in-mine")).toHaveLength(1);
  expect(chosen).toEqual([]);
  held.told(changed(incident("mine", { open: false }), false));
  expect(chosen).toEqual(["in-c0"]);
  // Taken away without its group, and never listed: it is believed of the one that he is in.
  const unlisted = back(listed);
  unlisted.held.told(changed(incident("mine", { open: false, group: null }), false));
  expect(unlisted.chosen).toEqual(["in-c0"]);
  expect(back(listed.slice(1)).chosen, "all there are were listed").toHaveLength(1);

  // Found beyond the list and opened: it has a row of its own, also when the list is asked for again.
  const ninth = back(listed);
  ninth.held.open(incident("nine"));
  expect(ninth.chosen).toEqual(["in-nine"]);
  const codes = () => listedOf(ninth.held.list.value, "in-nine").map(({ code }) => code);
  expect(codes()).toContain("nine");
  ninth.held.told({ type: "incidents", id: "2", incidents: listed, more: true });
  expect(codes()).toHaveLength(SHOWN + 1);
  expect(codes()).toContain("nine");
  expect(listedOf(ninth.held.list.value, "in-c0")).toHaveLength(SHOWN);
  ninth.held.open(incident("ten", { attention: 1 }));
  expect(ninth.tones, "who looks for it is not told that it came").toEqual([]);
});

test("a case with a tone sounds when it comes, once, and one that waits to be found does not", () => {
  const rings = (before: typeof noIncidents, one: IncidentSummary, mine = true) =>
    comesWithTone(before, changed(one, mine));
  expect(rings(noIncidents, incident("a", { attention: 1 }))).toBe(true);
  expect(rings(noIncidents, incident("a"))).toBe(false);
  expect(rings(noIncidents, incident("a", { attention: 1 }), false)).toBe(false);
  expect(rings(noIncidents, incident("a", { attention: 1, open: false }))).toBe(false);
  expect(rings(noIncidents, incident("a", { attention: 2 })), "the switch sounds by itself").toBe(false);
  const known = after(changed(incident("a", { attention: 1 })), changed(incident("b")));
  expect(rings(known, incident("a", { attention: 1, title: "other words" }))).toBe(false);
  expect(rings(known, incident("b", { attention: 1 }))).toBe(true);
});
