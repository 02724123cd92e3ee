import { afterEach, describe, expect, it } from "vitest";
import { language } from "./index";
import { briefWords, clockWords, momentWords } from "./moments";

const MIDNIGHT = new Date(2026, 10, 30, 0, 0, 7).getTime();
const EVENING = new Date(2026, 10, 29, 20, 5).getTime();

afterEach(() => {
  language.value = "zh-CN";
});

describe("a time", () => {
  it.each(["zh-CN", "en"] as const)("begins its day with 00 and has no noon, in %s", (spoken) => {
    language.value = spoken;
    expect(clockWords(MIDNIGHT)).toBe("00:00");
    expect(clockWords(MIDNIGHT, true)).toBe("00:00:07");
    expect(clockWords(EVENING)).toBe("20:05");
  });

  it("has its date in the language of the page, whatever that of the browser is", () => {
    expect(momentWords(EVENING)).toBe("2026/11/29 20:05");
    language.value = "en";
    expect(momentWords(EVENING)).toBe("29/11/2026, 20:05");
  });

  it("says the day where that is not today", () => {
    expect(briefWords(EVENING, EVENING + 60_000)).toBe("20:05");
    expect(briefWords(EVENING, MIDNIGHT)).toContain("29");
    expect(briefWords(EVENING, MIDNIGHT)).toContain("20:05");
  });
});
