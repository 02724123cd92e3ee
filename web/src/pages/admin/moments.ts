// Times as an administrator reads and enters them, in the time of his own clock.

import { clockWords, shown } from "../../i18n/moments";

export const DAY_MS = 86_400_000;

const two = (value: number) => String(value).padStart(2, "0");

/** As `datetime-local` has it: 2026-07-15T20:00. */
export function entered(ms: number): string {
  const at = new Date(ms);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function milliseconds(text: string): number {
  return new Date(text).getTime();
}

/** Midnight before, and of another day: by the calendar, for a day is not always 24 hours long. */
export function midnight(ms: number, days = 0): number {
  const at = new Date(ms);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + days).getTime();
}

/** The same hour on another day. */
export function later(ms: number, days: number): number {
  const at = new Date(ms);
  return new Date(
    at.getFullYear(),
    at.getMonth(),
    at.getDate() + days,
    at.getHours(),
    at.getMinutes(),
    at.getSeconds(),
    at.getMilliseconds(),
  ).getTime();
}

export const dayWords = (ms: number) => shown(ms, { month: "short", day: "numeric", weekday: "short" });

export const weekDay = (ms: number) => shown(ms, { month: "long", day: "numeric", weekday: "long" });

export const longDay = (ms: number) =>
  shown(ms, { year: "numeric", month: "long", day: "numeric", weekday: "long" });

/** From when until when, as it stands in the list of a day: what begins or ends on another day says on which. */
export function spanWords(from: number, until: number, day: number): string {
  const there = (ms: number) =>
    midnight(ms) === midnight(day) ? clockWords(ms) : `${shown(ms, { weekday: "short" })} ${clockWords(ms)}`;
  return `${there(from)}–${there(until)}`;
}
