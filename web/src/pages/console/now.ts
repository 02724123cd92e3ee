// The clock of the console: wall time, once a second, for everything that shows an age.

import { computed, signal } from "@preact/signals";

export const now = signal(Date.now());

setInterval(() => {
  now.value = Date.now();
}, 1000);

const CALM_MS = 10_000;

/** For what shows thousands of ages in minutes: drawn anew each second they would take the page from whoever talks. */
export const calm = computed(() => Math.floor(now.value / CALM_MS) * CALM_MS);
