// Whether a burst would be heard on this phone now: what the server is told. Pure.

import type { NotListening } from "../wire/protocol";

export const LOOK_EVERY_MS = 1000;
/** The server forgets a report after `limits.listening_expires_ms` (5 s): none is lost on the way, but one may be late. */
const REPEAT_AFTER_MS = 3000;

/** Whether the server is to be told at this look: a change at once, the same again before it is forgotten. */
export function worthSaying(changed: boolean, sinceMs: number): boolean {
  return changed || sinceMs >= REPEAT_AFTER_MS - LOOK_EVERY_MS / 2;
}

export type Ears = {
  /** The browser keeps sound back until the page is touched, or took the audio device away. */
  soundLocked: boolean;
  hidden: boolean;
  /** The page was hidden, and the audio clock was seen to go on since. */
  soundsWhileHidden: boolean;
  /** The system took the audio away, as for a telephone call. */
  microphoneLost: boolean;
  frozen: boolean;
  media: boolean;
};

/** Null: a burst would be heard; else why not, the most certain reason first. */
export function deafness(ears: Ears): NotListening | null {
  if (ears.frozen) return "frozen";
  if (!ears.media) return "no_media";
  if (ears.soundLocked) return "locked";
  if (ears.microphoneLost) return "microphone_lost";
  if (ears.hidden && !ears.soundsWhileHidden) return "hidden";
  return null;
}
