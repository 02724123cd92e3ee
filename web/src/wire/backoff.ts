// How long to wait before the next attempt to connect.

export const BACKOFF = { firstMs: 250, factor: 2, mostMs: 10_000 } as const;

/**
 * Delay in ms before attempt number `attempt` (0 is the first after a loss). `chance` in [0, 1) spreads the phones of a city,
 * so that a server that comes back is not met by all of them at once; the first attempts stay quick.
 */
export function backoff(attempt: number, chance: number): number {
  const full = Math.min(BACKOFF.mostMs, BACKOFF.firstMs * BACKOFF.factor ** attempt);
  return Math.round(full * (0.5 + chance / 2));
}
