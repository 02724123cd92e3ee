// The tones of the radio, as data: short, told apart without looking, within what a phone's loudspeaker gives well.

import type { Tone } from "../floor/model";

export type ToneName = Tone | "incoming" | "attention" | "ringing";

/** `at` and `ms` in ms from the tone's beginning; `loudness` beside the other tones, 1 when absent. */
export type Note = { at: number; ms: number; hz: number; loudness?: number };

export const MELODIES: Readonly<Record<ToneName, readonly Note[]>> = {
  permit: [
    { at: 0, ms: 45, hz: 1050 },
    { at: 60, ms: 60, hz: 1400 },
  ],
  permit_from_queue: [
    { at: 0, ms: 60, hz: 1050 },
    { at: 110, ms: 60, hz: 1050 },
    { at: 220, ms: 90, hz: 1400 },
  ],
  // A call that waits to be answered: two short trills.
  ringing: [0, 120, 240, 600, 720, 840].map((at, i) => ({ at, ms: 90, hz: i % 2 ? 660 : 820 })),
  queued: [
    { at: 0, ms: 70, hz: 700 },
    { at: 120, ms: 70, hz: 700 },
  ],
  denied: [{ at: 0, ms: 320, hz: 330 }],
  revoked: [
    { at: 0, ms: 110, hz: 880 },
    { at: 130, ms: 110, hz: 620 },
    { at: 260, ms: 200, hz: 440 },
  ],
  warning: [{ at: 0, ms: 90, hz: 1760 }],
  no_network: [
    { at: 0, ms: 90, hz: 400 },
    { at: 140, ms: 90, hz: 400 },
    { at: 280, ms: 180, hz: 300 },
  ],
  // An urgent message for this person: nothing else on a phone sounds like it.
  attention: [
    { at: 0, ms: 180, hz: 960 },
    { at: 220, ms: 180, hz: 1280 },
    { at: 440, ms: 180, hz: 960 },
    { at: 660, ms: 180, hz: 1280 },
  ],
  // Low: the first syllable of the one who talks is under it.
  incoming: [{ at: 0, ms: 40, hz: 900, loudness: 0.3 }],
};
