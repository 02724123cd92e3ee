// Times of day and dates as a person reads them here: in the language of the page, by his own clock, 24 hours from 00:00.

import { language, t } from "./index";

const LOCALES = { "zh-CN": "zh-CN", en: "en-GB" } as const;
const TO_THE_MINUTE: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };

/** Made once for each way a time is written: making one takes milliseconds, and a console writes times every second. */
const formats = new Map<string, Intl.DateTimeFormat>();

export function shown(ms: number, options: Intl.DateTimeFormatOptions): string {
  const locale = LOCALES[language.value];
  const name = `${locale} ${JSON.stringify(options)}`;
  let format = formats.get(name);
  if (!format) {
    // Not `hour12: false`: some browsers count midnight as 24 then.
    format = new Intl.DateTimeFormat(locale, { hourCycle: "h23", ...options });
    formats.set(name, format);
  }
  return format.format(ms);
}

export function clockWords(ms: number, seconds = false): string {
  return shown(ms, { ...TO_THE_MINUTE, ...(seconds ? { second: "2-digit" } : {}) });
}

export function momentWords(ms: number): string {
  return shown(ms, { year: "numeric", month: "2-digit", day: "2-digit", ...TO_THE_MINUTE });
}

/** The time of day; with the date when that is not today's. */
export function briefWords(ms: number, { today = Date.now(), seconds = false } = {}): string {
  const sameDay = new Date(ms).toDateString() === new Date(today).toDateString();
  return sameDay
    ? clockWords(ms, seconds)
    : `${shown(ms, { month: "short", day: "numeric" })} ${clockWords(ms, seconds)}`;
}

/** How long ago; `exact`: the first minute by its seconds. */
export function agoWords(ms: number, exact = false): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return exact ? t("ago_seconds", { seconds }) : t("ago_now");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t("ago_minutes", { minutes });
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? t("ago_hours", { hours }) : t("ago_days", { days: Math.floor(hours / 24) });
}

/** How long something lasts: "9.2 s", from a minute on "1:48", from an hour on "1:02:03". */
export function secondsWords(ms: number): string {
  if (ms < 59_950) return t("lasts_seconds", { seconds: (ms / 1000).toFixed(1) });
  const whole = Math.round(ms / 1000);
  const two = (number: number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}
