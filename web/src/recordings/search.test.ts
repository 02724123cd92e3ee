import { expect, test } from "vitest";
import { anything, asked, askedOfPhotos, nameable } from "./search";

test("what is empty is not asked for, lengths are seconds, times are this device's", () => {
  expect(asked(anything)).toEqual({});
  const wanted = {
    ...anything,
    incident: " E01 ",
    tier: "0",
    shortest: "1.5",
    longest: "x",
    area: "1, 2,3, 4",
  };
  expect(asked(wanted)).toEqual({ incident: "E01", tier: 0, shortest_ms: 1_500, area: "1,2,3,4" });
  expect(asked({ ...anything, from: "2026-11-23T10:00" }).from_ms).toBe(
    new Date("2026-11-23T10:00").getTime(),
  );
});

test("photos have neither tier nor length", () => {
  const wanted = { ...anything, group: "g", user: "u", from: "2026-11-23T10:00", area: "1,2,3,4" };
  expect(askedOfPhotos(wanted)).toEqual(asked(wanted));
  for (const field of ["tier", "shortest", "longest"] as const)
    expect(askedOfPhotos({ ...wanted, [field]: "1" })).toBeNull();
});

test("an export says whose voice, or from when until when", () => {
  for (const field of ["incident", "group", "user"] as const)
    expect(nameable({ ...anything, [field]: "x" })).toBe(true);
  expect(nameable({ ...anything, from: "2026-11-23T10:00", until: "2026-11-23T11:00" })).toBe(true);
  expect(nameable(anything)).toBe(false);
  expect(nameable({ ...anything, from: "2026-11-23T10:00", incident: " ", tier: "2" })).toBe(false);
});
