// The clock of the console: wall time, once a second, for everything that shows an age.

import { signal } from "@preact/signals";

export const now = signal(Date.now());

setInterval(() => {
  now.value = Date.now();
}, 1000);
