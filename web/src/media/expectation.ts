// Notices that voice which should arrive does not: the sign of a changed network, seconds before ICE sees it. Pure.

export const STALL = {
  /** A burst is on a slot and no packet came for so long. */
  afterMs: 1500,
  /** The path was restarted; wait so long before asking again. */
  againMs: 5000,
} as const;

export type Expectation = { packets: number; movedAt: number } | null;

/**
 * Feeds one sample: how many slots carry a burst and how many packets came so far over all of them. Returns the next expectation,
 * and whether the path should be restarted now. `null` means nothing is expected.
 */
export function expecting(
  before: Expectation,
  sample: { bursts: number; packets: number },
  now: number,
): { next: Expectation; stalled: boolean } {
  if (sample.bursts === 0) return { next: null, stalled: false };
  if (before === null || sample.packets !== before.packets) {
    return { next: { packets: sample.packets, movedAt: now }, stalled: false };
  }
  if (now - before.movedAt < STALL.afterMs) return { next: before, stalled: false };
  return { next: { ...before, movedAt: now + STALL.againMs - STALL.afterMs }, stalled: true };
}
