// The last places of people, asked for again and again: all of them once, and then those that are newer.

import { authorised } from "../account/authorised";
import type { Datum } from "./datum";

export type Position = {
  source: "device" | "shell" | "operator" | "none";
  at_ms: number;
  longitude: number;
  latitude: number;
  accuracy_m: number | null;
  datum: Datum;
};

/** `seen_ms`: when the position was measured, on this page's clock. */
export type Told = {
  user: string;
  name: string;
  seen_ms: number;
  position: Position;
  battery: number | null;
  heading: number | null;
};

type PlaceOut = {
  user: string;
  name: string;
  position: (Position & { age_ms: number }) | null;
  battery: { percent: number } | null;
  motion: { heading_deg: number | null; speed_mps: number | null } | null;
};

export type News = { mark: string; whole: boolean; places: PlaceOut[]; gone: string[] };

/** Nobody is told anew when one may locate others than before, or when a place is too old to be told. */
const WHOLE_EVERY_MS = 60_000;

/** What one page knows of places. */
export class PlaceNews {
  #known: ReadonlyMap<string, Told> = new Map();
  #mark = "";
  #wholeAt = Number.NEGATIVE_INFINITY;

  /** Asks, and gives all that is known then. */
  async ask(): Promise<readonly Told[]> {
    const since = performance.now() - this.#wholeAt < WHOLE_EVERY_MS ? this.#mark : "";
    const asked = Date.now(); // however long it takes: no place is younger than it was told to be then
    const news = await authorised<News>("GET", `/places/news?since=${since}`);
    this.#mark = news.mark;
    if (news.whole) this.#wholeAt = performance.now();
    this.#known = after(this.#known, news, asked);
    return [...this.#known.values()];
  }
}

/** What is known, news taken in that were asked for at `asked`. */
export function after(
  known: ReadonlyMap<string, Told>,
  { whole, places, gone }: News,
  asked: number,
): ReadonlyMap<string, Told> {
  const found = new Map(whole ? [] : known);
  for (const user of gone) found.delete(user);
  for (const { user, name, position, battery, motion } of places) {
    if (!position) {
      found.delete(user);
      continue;
    }
    found.set(user, {
      user,
      name,
      seen_ms: asked - position.age_ms,
      position,
      battery: battery?.percent ?? null,
      heading: motion?.speed_mps ? motion.heading_deg : null,
    });
  }
  return found;
}
