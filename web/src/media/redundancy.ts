// Sends each voice frame twice (RED, RFC 2198) while the server misses packets of ours: what one packet lost, the next brings.
//
// It doubles the voice of a talker, so only those pay for it whose network loses.

export const REDUNDANCY = {
  /** Part of the packets, as the server reports it, from which on frames are sent twice. */
  fromLoss: 0.02,
  /** So long after the last such report frames are sent once again. */
  holdMs: 20_000,
  /** Between two looks at the server's reports, which come once a second while we talk. */
  lookEveryMs: 1000,
} as const;

export type Doubling = { on: boolean; lossAt: number };

/** The next state after a report of `loss` (0 to 1; null: none came). Pure. */
export function doubling(before: Doubling, loss: number | null, now: number): Doubling {
  if (loss !== null && loss >= REDUNDANCY.fromLoss) return { on: true, lossAt: now };
  return before.on && now - before.lossAt >= REDUNDANCY.holdMs ? { ...before, on: false } : before;
}

export class Redundancy {
  #state: Doubling = { on: false, lossAt: 0 };
  #reported = 0;

  constructor(
    private readonly uplink: () => RTCRtpSender | null,
    private readonly twice: (on: boolean) => void,
  ) {}

  /** Reads the newest report and follows it. To be called again and again while this phone talks. */
  async look(): Promise<void> {
    const next = doubling(this.#state, await this.#loss(), performance.now());
    if (next.on !== this.#state.on) this.twice(next.on);
    this.#state = next;
  }

  /** What the server's newest report says, once. */
  async #loss(): Promise<number | null> {
    const report = await this.uplink()?.getStats();
    for (const entry of report?.values() ?? []) {
      if (entry.type !== "remote-inbound-rtp" || entry.timestamp === this.#reported) continue;
      this.#reported = entry.timestamp;
      return (entry as { fractionLost?: number }).fractionLost ?? null;
    }
    return null;
  }
}
