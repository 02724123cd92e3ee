// The clock of the console: wall time, once a second, for everything that shows an age.

import { computed, signal } from "@preact/signals";

export const now = signal(Date.now());

const TICK_MS = 1000;

setInterval(() => {
  now.value = Date.now();
}, TICK_MS);

const CALM_MS = 10_000;

/** For what shows thousands of ages in minutes: drawn anew each second they would take the page from whoever talks. */
export const calm = computed(() => calmly(now.value));

/** The clock in great steps, never behind itself: no place is told to be younger than it is. */
export function calmly(ms: number): number {
  return Math.ceil((ms + TICK_MS) / CALM_MS) * CALM_MS;
}
