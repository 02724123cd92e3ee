// Whether a burst was heard: what the browser's own statistics say was played, and whether a person could hear it. Pure.

/** Counters of one slot (W3C inbound-rtp), in samples at 48 kHz since the media path began. */
export type Played = {
  /** All that the jitter buffer gave out, concealed samples among them. */
  total: number;
  concealed: number;
  inserted: number;
  removed: number;
};

/** Must be the server's `groups.emergency.broadcast.HEARD_PART`. */
export const HEARD_PART = 0.8;
export const RATE = 48_000;

/** One burst on one slot while it lasts. */
export type Measure = {
  begin: Played;
  end: Played | null;
  /** At every look a person could have heard it: sound unlocked and running, slot not muted, page not frozen. */
  audible: boolean;
  /** When it was looked at last (ms); a page that was frozen did not look. */
  looked: number;
};

/** A look comes so often; one that is later than `GAP_MS` says that the page stood still. */
export const LOOK_MS = 200;
export const GAP_MS = 2_000;

export function begun(now: number, begin: Played, audible: boolean): Measure {
  return { begin, end: null, audible, looked: now };
}

export function looked(measure: Measure, now: number, audible: boolean): Measure {
  const stood = now - measure.looked > GAP_MS;
  return { ...measure, audible: measure.audible && audible && !stood, looked: now };
}

/** Samples of the burst that were played as they were spoken; 0 when a person could not have heard them. */
export function heardSamples({ begin, end, audible }: Measure): number {
  if (!audible || !end) return 0;
  const given = end.total - begin.total - (end.concealed - begin.concealed);
  return Math.max(0, given - (end.inserted - begin.inserted) + (end.removed - begin.removed));
}

/** What a receipt says, or null: it was not heard. `said`: samples of the burst, as the server counted them. */
export function heard(
  measure: Measure,
  said: number,
): { samples_expected: number; samples_played: number } | null {
  const played = Math.min(said, heardSamples(measure));
  return said > 0 && played >= HEARD_PART * said ? { samples_expected: said, samples_played: played } : null;
}

/** Seconds of a recording that were really played, of its element's ranges. */
export function playedSeconds(ranges: {
  length: number;
  start(i: number): number;
  end(i: number): number;
}): number {
  let seconds = 0;
  for (let i = 0; i < ranges.length; i++) seconds += ranges.end(i) - ranges.start(i);
  return seconds;
}
