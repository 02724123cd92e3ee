import { describe, expect, it } from "vitest";
import { read, written } from "./written";

describe("a moment that is written", () => {
  it.each([
    ["2026-07-15 20:05", "2026-07-15T20:05"],
    ["2026-07-15T20:05", "2026-07-15T20:05"],
    ["2026/7/5 8:05", "2026-07-05T08:05"],
    ["2026年7月5日 8：05", "2026-07-05T08:05"],
    [" 2026-07-15 ", "2026-07-15T00:00"],
    ["2028-02-29 00:00", "2028-02-29T00:00"],
  ])("is read: %s", (text, value) => {
    expect(read(text, "datetime-local")).toBe(value);
    expect(read(written(value), "datetime-local")).toBe(value);
  });

  it.each([
    "",
    "15/07/2026",
    "2026-06-31 10:00",
    "2026-02-29",
    "2026-07-15 24:00",
    "2026-07-15 10:60",
    "2026-13-01",
    "now",
  ])("is none: %s", (text) => expect(read(text, "datetime-local")).toBeNull());

  it("is a day where a day is asked for", () => {
    expect(read("2026.7.5", "date")).toBe("2026-07-05");
    expect(read("2026-07-05 10:00", "date")).toBeNull();
  });
});
