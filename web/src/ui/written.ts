// Days and moments as a person writes them into a field: year first, whatever the language of the browser.

export type Precision = "date" | "datetime-local";

const WRITTEN = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]+(\d{1,2})[:：](\d{2}))?$/;

/** As a field of that type has it (2026-07-15T20:00), null when it is none. A day alone begins at midnight. */
export function read(text: string, precision: Precision): string | null {
  const found = WRITTEN.exec(text.trim());
  if (!found) return null;
  const [, year, month, day, hour, minute] = found;
  const two = (part: string) => part.padStart(2, "0");
  const date = `${year}-${two(month ?? "")}-${two(day ?? "")}`;
  const midnight = new Date(`${date}T00:00Z`);
  // The 31st of June would be the 1st of July.
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(date)) return null;
  if (precision === "date") return hour === undefined ? date : null;
  if (Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59) return null;
  return `${date}T${two(hour ?? "")}:${two(minute ?? "")}`;
}

export const written = (value: string): string => value.replace("T", " ");
