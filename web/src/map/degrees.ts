// Where something is, and how old what is known of a place is. Pure.

/** In WGS-84, in which all maps here are told their places. */
export type Degrees = { longitude: number; latitude: number };

export type Freshness = "fresh" | "ageing" | "stale";
/** A place older than this is no longer where somebody is. */
export const AGEING_MS = 120_000;
export const STALE_MS = 600_000;

export function freshness(ageMs: number): Freshness {
  if (ageMs >= STALE_MS) return "stale";
  return ageMs >= AGEING_MS ? "ageing" : "fresh";
}
