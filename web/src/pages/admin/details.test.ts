import { beforeEach, describe, expect, it } from "vitest";
import { language } from "../../i18n";
import { type Entry, kindOf, reasonWords, targetWords, told } from "./details";

const entry = (of: Partial<Entry>): Entry => ({
  seq: 1,
  at_ms: 0,
  actor: null,
  actor_name: null,
  action: "user.update",
  refused: false,
  reason: null,
  target_kind: "user",
  target: "us-1",
  target_name: "王建国",
  detail: {},
  names: {},
  address: "",
  seal: "",
  ...of,
});

describe("the details of an entry", () => {
  beforeEach(() => {
    language.value = "en";
  });

  it("are told in words: names for ids, roles, times, yes and no", () => {
    const detail = {
      name: "王建国",
      unit_id: "un-1",
      roles: ["officer"],
      enabled: true,
      phone: "",
      starts_ms: new Date(2026, 6, 15, 20, 5).getTime(),
      users: ["us-1", "us-9"],
    };
    const names = { "un-1": "东湖街道", "us-1": "王建国" };
    const said = told(entry({ detail, names }));
    expect(said.map(([title]) => title)).toEqual(["unit", "roles", "enabled", "begins", "people"]);
    expect(said.map(([, value]) => value)).toEqual([
      "东湖街道",
      expect.stringContaining("fficer"),
      "yes",
      expect.stringContaining("20:05"),
      "王建国, us-9",
    ]);
  });

  it("of an export say what was searched for, and lengths are no times of day", () => {
    const search = { group: "gr-1", tier: 2, shortest_ms: 5000, limit: 50, order: "newest", audio: false };
    const said = told(
      entry({ action: "export.order", detail: { search, title: "夜班" }, names: { "gr-1": "滨江" } }),
    );
    expect(said).toEqual([
      ["group", "滨江"],
      ["tier", "Emergency"],
      ["shortest", "5.0 s"],
      ["title", "夜班"],
    ]);
    expect(
      told(entry({ detail: { tier: "IMMINENT_PERIL", state: "false_alarm", kind: "roll_call" } })),
    ).toEqual([
      ["tier", "imminent peril"],
      ["state", "false alarm"],
      ["kind", "roll call"],
    ]);
  });

  it("of a refusal are its reason, and what nobody has words for stays as it is", () => {
    const refused = entry({
      refused: true,
      reason: "not_allowed",
      detail: { act: "x", code: "not_allowed" },
    });
    expect(told(refused)).toEqual([]);
    expect(reasonWords(refused)).toBe("You are not allowed to do this");
    expect(told(entry({ detail: { strange: "thing" } }))).toEqual([["strange", "thing"]]);
    expect(kindOf("comet")).toBe("comet");
  });

  it("name what is gone by what it was called, and never by an id nobody can read", () => {
    expect(targetWords(entry({}))).toBe("王建国");
    expect(targetWords(entry({ target_name: null, detail: { name: "已删" } }))).toBe("已删");
    expect(targetWords(entry({ target_name: null, target: "se-osldaeg5xavvzmt3" }))).toBe("");
    expect(targetWords(entry({ target_name: null, target: "420102001001001" }))).toBe("420102001001001");
  });
});
