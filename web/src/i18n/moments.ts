// Times of day and dates as a person reads them here: in the language of the page, by his own clock, 24 hours from 00:00.

import { language } from "./index";

const LOCALES = { "zh-CN": "zh-CN", en: "en-GB" } as const;
const TO_THE_MINUTE: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };

export function shown(ms: number, options: Intl.DateTimeFormatOptions): string {
  // Not `hour12: false`: some browsers count midnight as 24 then.
  return new Date(ms).toLocaleString(LOCALES[language.value], { hourCycle: "h23", ...options });
}

export function clockWords(ms: number, seconds = false): string {
  return shown(ms, { ...TO_THE_MINUTE, ...(seconds ? { second: "2-digit" } : {}) });
}

export function momentWords(ms: number): string {
  return shown(ms, { year: "numeric", month: "2-digit", day: "2-digit", ...TO_THE_MINUTE });
}

/** The time of day; with the date when that is not today's. */
export function briefWords(ms: number, today = Date.now()): string {
  const sameDay = new Date(ms).toDateString() === new Date(today).toDateString();
  return sameDay ? clockWords(ms) : shown(ms, { month: "short", day: "numeric", ...TO_THE_MINUTE });
}
