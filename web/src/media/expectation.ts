// Notices that voice which should arrive does not: the sign of a changed network, seconds before ICE sees it. Pure.

export const STALL = {
  /** A burst is on a slot and no packet came for so long. */
  afterMs: 1500,
  /**
   * And up to so long more, each page by its own draw: a talker who is silent is missed by all who listen to him, and they must not
   * all ask in the same moment.
   */
  spreadMs: 2000,
} as const;

/** `asked`: the path was restarted for this silence; another time would not help more, and what ICE itself sees is mended too. */
export type Expectation = { packets: number; movedAt: number; asked: boolean } | null;

/**
 * Feeds one sample: how many slots carry a burst and how many packets came so far over all of them. Returns the next expectation,
 * and whether the path should be restarted now, `spreadMs` later than it could be: once, until voice comes again or nothing is
 * on air. `null` means nothing is expected.
 */
export function expecting(
  before: Expectation,
  sample: { bursts: number; packets: number },
  now: number,
  spreadMs: number,
): { next: Expectation; stalled: boolean } {
  if (sample.bursts === 0) return { next: null, stalled: false };
  if (before === null || sample.packets !== before.packets) {
    return { next: { packets: sample.packets, movedAt: now, asked: false }, stalled: false };
  }
  if (before.asked || now - before.movedAt < STALL.afterMs + spreadMs)
    return { next: before, stalled: false };
  return { next: { ...before, asked: true }, stalled: true };
}
