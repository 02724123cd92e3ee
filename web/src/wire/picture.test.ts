import { describe, expect, it } from "vitest";
import { blank, fellSilent, heardIn, lastEnded, told, welcomed } from "./picture";
import type { GroupSummary, Person, Welcome } from "./protocol";

const zhang: Person = { id: "u1", name: "张三" };

describe("the picture", () => {
  it("follows a floor from taken to idle", () => {
    const taken = told(blank, { type: "floor_taken", group: "g", burst: 5, by: zhang });
    expect(taken.floors.g).toMatchObject({ state: "taken", by: zhang, burst: 5 });
    expect(told(taken, { type: "floor_idle", group: "g", burst: 5 }).floors.g).toMatchObject({
      state: "idle",
      by: null,
    });
  });

  it("remembers who spoke before, also when the next follows without a pause", () => {
    const li: Person = { id: "u2", name: "李四" };
    const taken = told(blank, { type: "floor_taken", group: "g", burst: 5, by: zhang });
    expect(taken.floors.g?.last).toBeNull();
    const idle = told(taken, { type: "floor_idle", group: "g", burst: 5 });
    expect(idle.floors.g?.last).toEqual({ by: zhang, burst: 5 });
    const next = told(taken, { type: "floor_taken", group: "g", burst: 9, by: li });
    expect(next.floors.g?.last).toEqual({ by: zhang, burst: 5 });
    expect([undefined, taken.floors.g, idle.floors.g, next.floors.g].map(lastEnded)).toEqual([
      null,
      null,
      5,
      5,
    ]);
    expect(told(idle, { type: "floor_idle", group: "g", burst: 5 }).floors.g?.last?.by).toEqual(zhang);
  });

  it("does not let the end of an older burst hide a newer one", () => {
    const taken = told(blank, { type: "floor_taken", group: "g", burst: 6, by: zhang });
    expect(told(taken, { type: "floor_idle", group: "g", burst: 5 })).toBe(taken);
  });

  it("keeps slots in order, and each till its last word was heard", () => {
    const first = told(blank, { type: "slot", slot: 1, group: "g", burst: 5, by: zhang });
    const both = told(first, { type: "slot", slot: 0, group: "h", burst: 6, by: zhang });
    expect(both.slots.map(({ slot }) => slot)).toEqual([0, 1]);
    const over = told(both, { type: "slot", slot: 1 });
    expect(over.slots.map(({ slot, over = false }) => [slot, over])).toEqual([
      [0, false],
      [1, true],
    ]);
    expect(fellSilent(over, 1).slots.map(({ slot }) => slot)).toEqual([0]);
    expect(fellSilent(over, 0)).toEqual(over);
    const next = told(over, { type: "slot", slot: 1, group: "g", burst: 7, by: zhang });
    expect(fellSilent(next, 1)).toEqual(next);
  });

  it("hears who talks in a group rather than one whose last words still come", () => {
    const first = told(blank, { type: "slot", slot: 0, group: "g", burst: 5, by: zhang });
    const over = told(first, { type: "slot", slot: 0 });
    expect(heardIn(over, "g")?.burst).toBe(5);
    const next = told(over, { type: "slot", slot: 1, group: "g", burst: 7, by: zhang });
    expect(heardIn(next, "g")?.burst).toBe(7);
    expect(heardIn(next, "h")).toBeNull();
  });

  it("leaves each group at its place when the page has a link again", () => {
    const groups = (ids: string) =>
      [...ids].map(
        (id): GroupSummary => ({ id, name: id, kind: "chat", may_talk: true, members: 1, priority: 0 }),
      );
    const welcome = (ids: string) =>
      ({ user: zhang, groups: groups(ids), resumed: false }) as unknown as Welcome;
    const order = ({ groups: all }: typeof blank) => all.map(({ id }) => id).join("");
    const first = welcomed(blank, welcome("bd"));
    const more = told(first, { type: "groups", groups: groups("abcd"), selected: null });
    expect([order(first), order(more)]).toEqual(["bd", "bdac"]);
    expect(order(welcomed(more, welcome("abcde")))).toBe("bdace");
    expect(order(welcomed(more, welcome("acd")))).toBe("dac");
  });

  it("takes presence and floor from a group just selected", () => {
    const group = {
      id: "g",
      name: "一组",
      kind: "chat",
      floor: { state: "taken", burst: 3, by: zhang },
      members: 12,
      online: 10,
      listening: 9,
    } as const;
    const next = told(blank, { type: "selected", id: "r1", group });
    expect(next.selected).toBe("g");
    expect(next.presence.g).toEqual({ members: 12, online: 10, listening: 9, queued: 0, monitors: [] });
    expect(next.floors.g?.by).toEqual(zhang);
  });
});
