// A late entrant hears the burst on air from its start, faster than it is spoken, until he has caught up with the live voice.

import { signal } from "@preact/signals";
import { mark } from "../diagnostics";
import { away, player, recent, soFar, soundOf } from "./recordings";

/** So much behind the live voice is caught up. */
const CAUGHT_UP_S = 0.6;
/** How often, and how long in all, the file of a burst that just ended is looked for. */
const LOOK_EVERY_MS = 400;
const LOOKS = 15;

/** Group whose burst is heard from its start now; its live voice is to be silent meanwhile. */
export const catchingUp = signal<string | null>(null);

/** What `player.failed` calls it. */
export function fromStartBy(group: string): string {
  return `on-air ${group}`;
}

/** Resolves when the live voice may be heard again. `onAir`: whether that burst still is. What fails stands in `player.failed`. */
export async function fromStart(group: string, burst: number, onAir: () => boolean): Promise<void> {
  if (catchingUp.value === group) return player.stop();
  catchingUp.value = group;
  try {
    let heard = 0;
    for (;;) {
      const still = onAir();
      const content = still ? await soFar(group).catch(otherwise(group, burst)) : await ended(group, burst);
      let reached = -1;
      const id = `on-air/${burst}`;
      await player.play([{ id, load: async () => content, from: heard }], {
        by: fromStartBy(group),
        rate: 1.5,
        heard: (_, seconds) => {
          reached = seconds;
        },
      });
      if (reached < 0) return;
      const gained = reached - heard;
      heard = reached;
      if (still && gained >= CAUGHT_UP_S) continue;
      mark("caught_up", { burst, heard });
      return;
    }
  } catch (why) {
    player.failed.value = { of: fromStartBy(group), why };
  } finally {
    if (catchingUp.value === group) catchingUp.value = null;
  }
}

/** It may have ended just now, and then its file is there soon. */
function otherwise(group: string, burst: number): (why: unknown) => Promise<Blob> {
  return async (why) => {
    if (away(why)) throw why;
    return ended(group, burst);
  };
}

async function ended(group: string, burst: number): Promise<Blob> {
  for (let look = 0; look < LOOKS; look++) {
    const found = (await recent(group, 5)).find((one) => one.burst === burst);
    if (found) return soundOf(found).load();
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
  throw new Error("not found");
}
