// An SOS that has not got through yet outlives the page: it lies on this device, and goes on when a page of its person is there.

import type { Whereabouts } from "../wire/protocol";

/** What is older says nothing any more about the danger somebody is in. */
export const KEPT_MS = 24 * 3_600_000;

/** What is sent of one press; `pressed_ms` by this device's clock. */
export type Unsent = {
  alert: string;
  pressed_ms: number;
  covert?: boolean;
  group?: string;
  incident?: string;
  place?: Whereabouts;
  battery?: number;
};

const key = (user: string) => `poc.sos.unsent.${user}`;

export function keep(user: string, sos: Unsent): void {
  try {
    localStorage.setItem(key(user), JSON.stringify(sos));
  } catch {
    // A full or forbidden store: then it is sent as long as this page lives.
  }
}

/** What `user` pressed here and nobody has confirmed; null when that is nothing, or long ago. */
export function kept(user: string, now: number): Unsent | null {
  try {
    const found = JSON.parse(localStorage.getItem(key(user)) ?? "null") as Unsent | null;
    if (typeof found?.alert !== "string" || typeof found.pressed_ms !== "number") return null;
    return now - found.pressed_ms > KEPT_MS ? null : found;
  } catch {
    return null;
  }
}

export function forget(user: string): void {
  localStorage.removeItem(key(user));
}
