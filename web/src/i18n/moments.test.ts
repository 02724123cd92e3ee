import { afterEach, describe, expect, it } from "vitest";
import { language } from "./index";
import { agoWords, briefWords, clockWords, momentWords, secondsWords } from "./moments";

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
    expect(briefWords(EVENING, { today: EVENING + 60_000 })).toBe("20:05");
    expect(briefWords(EVENING, { today: MIDNIGHT })).toContain("29");
    expect(briefWords(EVENING, { today: MIDNIGHT })).toContain("20:05");
  });
});

it("tells long ago in days, and how long something lasts as a person says it", () => {
  const minute = 60_000;
  expect([agoWords(35_000), agoWords(35_000, true)]).toEqual(["刚刚", "35 秒前"]);
  expect(agoWords(25 * minute)).toBe("25 分钟前");
  expect([agoWords(23 * 60 * minute), agoWords(50 * 60 * minute)]).toEqual(["23 小时前", "2 天前"]);
  expect([9_240, 59_960, 108_400, 3_723_000].map(secondsWords)).toEqual([
    "9.2 秒",
    "1:00",
    "1:48",
    "1:02:03",
  ]);
});
