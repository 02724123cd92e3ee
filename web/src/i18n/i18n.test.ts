import { describe, expect, it } from "vitest";
import words from "../generated/words.json";
import { en } from "./en";
import { filled, known } from "./index";
import { type Key, zh } from "./zh";

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([found]) => found).sort();

describe("the words", () => {
  it("have the same places to fill in both languages", () => {
    for (const key of Object.keys(zh) as Key[])
      expect(placeholders(en[key]), key).toEqual(placeholders(zh[key]));
  });

  it("stand for every refusal, role and act of the audit in both languages", () => {
    for (const list of [words.refusals, words.roles, words.acts]) {
      for (const both of Object.values(list)) {
        expect(both["zh-CN"]).not.toBe("");
        expect(both.en).not.toBe("");
      }
    }
  });

  it("stand in for what only a newer server says", () => {
    expect(known("disk_slow", "disk_unknown")).toBe(zh.disk_slow);
    expect(known("disk_on_fire", "disk_unknown")).toBe(zh.disk_unknown);
  });

  it("are filled by name, and what is unknown stays", () => {
    expect(filled("{a} of {b}", { a: 1 })).toBe("1 of {b}");
  });
});
