import { describe, expect, it } from "vitest";
import { language } from "../../i18n";
import { DAY_MS, entered, later, midnight, milliseconds, spanWords } from "./moments";

const NIGHT = new Date(2026, 6, 15, 20, 5).getTime();

describe("a time that is entered", () => {
  it("comes back as it was", () => {
    expect(entered(NIGHT)).toBe("2026-07-15T20:05");
    expect(milliseconds(entered(NIGHT))).toBe(NIGHT);
  });

  it("keeps its hour on another day, over the end of a month and of a year", () => {
    expect(entered(later(NIGHT, 1))).toBe("2026-07-16T20:05");
    expect(entered(later(milliseconds("2026-12-31T08:00"), 1))).toBe("2027-01-01T08:00");
    expect(entered(later(milliseconds("2026-02-25T08:00"), 7))).toBe("2026-03-04T08:00");
  });

  it("begins its day at midnight", () => {
    expect(entered(midnight(NIGHT))).toBe("2026-07-15T00:00");
    expect(entered(midnight(NIGHT, -15))).toBe("2026-06-30T00:00");
  });
});

describe("a span", () => {
  it("names the day of its beginning or end where that is another", () => {
    language.value = "en";
    expect(spanWords(NIGHT, NIGHT + 3_600_000, NIGHT)).toBe("20:05–21:05");
    expect(spanWords(NIGHT, NIGHT + DAY_MS / 2, NIGHT)).toBe("20:05–Thu 08:05");
    expect(spanWords(NIGHT, NIGHT + DAY_MS / 2, NIGHT + DAY_MS)).toBe("Wed 20:05–08:05");
  });
});
