// Missed voice: what was said while this person was away, until he has heard it or put it aside. Pure but for what is kept.

import { type Signal, signal } from "@preact/signals";
import type { Missed, Tier } from "../wire/protocol";
import { away, type MissedPage, missedIn, player, type Recording, soundOf } from "./recordings";

/** What is older is the archive, not missed voice. */
export const LONGEST_MS = 24 * 3_600_000;
const KEPT = "poc.missed";

export type Span = Pick<Missed, "from_ms" | "until_ms" | "bursts" | "duration_ms" | "by">;
export type Kept = { spans: Span[]; heard: string[] };
export const nothingMissed: Kept = { spans: [], heard: [] };

/** What comes after all that is listed. */
export type Beyond = { bursts: number; durationMs: number };
const nothingBeyond: Beyond = { bursts: 0, durationMs: 0 };

/** Where a list comes from, and what plays it. */
export type Ways = {
  list: typeof missedIn;
  play: typeof player.play;
  stop: () => void;
  playing: () => string | null;
  /** Why something of the last order could not be heard; null when all could. */
  failed: () => unknown;
};
const ways: Ways = {
  list: missedIn,
  play: (sounds, order) => player.play(sounds, order),
  stop: () => player.stop(),
  playing: () => player.playing.peek(),
  failed: () => player.failed.peek()?.why ?? null,
};

export type Summary = {
  bursts: number;
  durationMs: number;
  tier: Tier;
  by: { name: string; bursts: number }[];
};

/** With one more absence; what is too old goes. */
export function withSpan(before: Kept, span: Span, now: number): Kept {
  return recentOnly({ ...before, spans: [...before.spans, span] }, now);
}

export function recentOnly(kept: Kept, now: number): Kept {
  const spans = kept.spans.filter(({ until_ms }) => until_ms > now - LONGEST_MS);
  return spans.length ? { ...kept, spans } : nothingMissed;
}

/** Before it is known what is still to be heard, by what the server told; after, by what is listed and what follows. */
export function summary(
  kept: Kept,
  left: readonly Recording[] | null,
  beyond: Beyond = nothingBeyond,
): Summary {
  if (left) {
    return {
      bursts: left.length + beyond.bursts,
      durationMs: sum(left, ({ duration_ms }) => duration_ms) + beyond.durationMs,
      tier: Math.max(0, ...left.map(({ tier }) => tier)) as Tier,
      by: counted(left.map(({ talker }) => [talker.name, 1])),
    };
  }
  const by = kept.spans.flatMap((span) => span.by);
  return {
    bursts: Math.max(0, sum(kept.spans, ({ bursts }) => bursts) - kept.heard.length),
    durationMs: sum(kept.spans, ({ duration_ms }) => duration_ms),
    tier: Math.max(0, ...by.map(({ tier }) => tier ?? 0)) as Tier,
    by: counted(by.map(({ talker_name, bursts }) => [talker_name ?? "", bursts])),
  };
}

/** Emergencies first, then in order of time; each once, and none that was heard. */
export function inOrder(found: readonly Recording[], heard: readonly string[]): Recording[] {
  const once = new Map(found.filter(({ id }) => !heard.includes(id)).map((one) => [one.id, one]));
  return [...once.values()].sort((a, b) => b.tier - a.tier || a.started_ms - b.started_ms);
}

export class MissedVoice {
  readonly kept: Signal<Kept>;
  /** What is listed and still to be heard, once it was asked for. */
  readonly left = signal<readonly Recording[] | null>(null);
  readonly beyond = signal<Beyond>(nothingBeyond);
  /** Why what is left cannot be heard now, as it was refused; null while nothing is known against it. */
  readonly failed = signal<unknown>(null);
  readonly #name: string;
  readonly #ways: Ways;
  #turn = 0;

  constructor(user: string, through: Ways = ways) {
    this.#name = `${KEPT}.${user}`;
    this.#ways = through;
    this.kept = signal(recentOnly(read(this.#name), Date.now()));
  }

  told(span: Span): void {
    this.#unlist();
    this.#keep(withSpan(this.kept.value, span, Date.now()));
  }

  /** Plays what is listed and then what follows, list by list, until all was heard or somebody stops it. */
  async play(): Promise<void> {
    const turn = ++this.#turn;
    const tried = new Set<string>();
    this.failed.value = null;
    for (;;) {
      const next = (this.left.value ?? []).filter(({ id }) => !tried.has(id));
      if (next.length > 0) {
        for (const { id } of next) tried.add(id);
        const order = { yields: true, heard: (id: string) => this.#heard(id) };
        if (!(await this.#ways.play(next.map(soundOf), order)) || turn !== this.#turn) return;
        const why = this.#ways.failed();
        if (why !== null) this.failed.value = why;
        if (away(why)) return; // nor could anything that follows
      } else if (!(await this.#list(tried, turn))) return;
    }
  }

  /** Puts aside what was shown: a list, and then what follows is shown; all that was told before it was listed. */
  async dismiss(): Promise<void> {
    const turn = ++this.#turn;
    const left = this.left.value;
    if (left?.some(({ id }) => id === this.#ways.playing())) this.#ways.stop();
    if (left === null || this.beyond.value.bursts === 0) return this.#done(this.kept.value.spans);
    const heard = [...this.kept.value.heard, ...left.map(({ id }) => id)];
    this.#unlist();
    this.#keep({ ...this.kept.value, heard });
    await this.#list(new Set(), turn);
  }

  /** Lists more of what is neither heard nor `tried`; false when there is none, or it cannot be had now. */
  async #list(tried: ReadonlySet<string>, turn: number): Promise<boolean> {
    const { spans } = this.kept.value;
    const wanted = ({ id }: Recording) => !this.kept.value.heard.includes(id) && !tried.has(id);
    const pages = await Promise.all(spans.map((span) => this.#page(span, wanted))).catch(asRefused);
    if (turn !== this.#turn) return false;
    if (pages instanceof Error) {
      // All that was listed was heard, and nothing was said to follow: that needs no server.
      if (this.left.value?.length === 0 && this.beyond.value.bursts === 0) this.#done(spans);
      else this.failed.value = pages;
      return false;
    }
    const found = pages.flatMap(({ recordings }) => recordings).filter(wanted);
    this.beyond.value = {
      bursts: sum(pages, ({ more }) => more),
      durationMs: sum(pages, ({ more_ms }) => more_ms),
    };
    // What could not be played stays listed: it is there for another try.
    const left = inOrder([...(this.left.value ?? []), ...found], this.kept.value.heard);
    this.left.value = left;
    if (left.length === 0) this.#done(spans);
    return found.length > 0;
  }

  /** The first page on which something is wanted, else the last one. */
  async #page(span: Span, wanted: (one: Recording) => boolean): Promise<MissedPage> {
    let after: string | null = null;
    for (;;) {
      const page = await this.#ways.list(span.from_ms, span.until_ms, after);
      if (page.next === null || page.recordings.some(wanted)) return page;
      after = page.next;
    }
  }

  #heard(id: string): void {
    this.#keep({ ...this.kept.value, heard: [...this.kept.value.heard, id] });
    if (this.left.value) this.left.value = this.left.value.filter((one) => one.id !== id);
  }

  #unlist(): void {
    this.left.value = null;
    this.beyond.value = nothingBeyond;
  }

  /** These absences are over with; one that was told of meanwhile is not. */
  #done(over: readonly Span[]): void {
    this.#unlist();
    const spans = this.kept.value.spans.filter((span) => !over.includes(span));
    this.#keep({ spans, heard: [] });
  }

  #keep(kept: Kept): void {
    this.kept.value = kept;
    if (kept.spans.length) localStorage.setItem(this.#name, JSON.stringify(kept));
    else localStorage.removeItem(this.#name);
  }
}

function asRefused(why: unknown): Error {
  return why instanceof Error ? why : new Error(String(why));
}

function read(name: string): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(name) ?? "null") as Kept | null;
    return Array.isArray(found?.spans) && Array.isArray(found.heard) ? found : nothingMissed;
  } catch {
    return nothingMissed;
  }
}

function counted(pairs: [string, number][]): Summary["by"] {
  const found = new Map<string, number>();
  for (const [name, bursts] of pairs) found.set(name, (found.get(name) ?? 0) + bursts);
  return [...found].map(([name, bursts]) => ({ name, bursts }));
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
