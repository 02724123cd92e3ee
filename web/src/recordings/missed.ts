// Missed voice: what was said while this person was away, until he has heard it or put it aside. Pure but for what is kept.

import { type Signal, signal } from "@preact/signals";
import type { Missed, Tier } from "../wire/protocol";
import { missedIn, player, type Recording, soundOf } from "./recordings";

/** What is older is the archive, not missed voice. */
export const LONGEST_MS = 24 * 3_600_000;
const KEPT = "poc.missed";

export type Span = Pick<Missed, "from_ms" | "until_ms" | "bursts" | "duration_ms" | "by">;
export type Kept = { spans: Span[]; heard: string[] };
export const nothingMissed: Kept = { spans: [], heard: [] };

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

/** Before it is known what is still to be heard, by what the server told; after, by what is left. */
export function summary(kept: Kept, left: readonly Recording[] | null): Summary {
  if (left) {
    return {
      bursts: left.length,
      durationMs: sum(left, ({ duration_ms }) => duration_ms),
      tier: Math.max(0, ...left.map(({ tier }) => tier)) as Tier,
      by: counted(left.map(({ talker }) => [talker.name, 1])),
    };
  }
  const by = kept.spans.flatMap((span) => span.by);
  return {
    bursts: sum(kept.spans, ({ bursts }) => bursts) - kept.heard.length,
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
  /** What is still to be heard, once it was asked for. */
  readonly left = signal<readonly Recording[] | null>(null);
  readonly failed = signal(false);
  readonly #name: string;

  constructor(user: string) {
    this.#name = `${KEPT}.${user}`;
    this.kept = signal(recentOnly(read(this.#name), Date.now()));
  }

  told(span: Span): void {
    this.left.value = null;
    this.#keep(withSpan(this.kept.value, span, Date.now()));
  }

  async play(): Promise<void> {
    this.failed.value = false;
    try {
      this.left.value ??= await this.#fetch();
    } catch {
      this.failed.value = true;
      return;
    }
    if (this.left.value.length === 0) return this.dismiss();
    await player.play(this.left.value.map(soundOf), { yields: true, heard: (id) => this.#heard(id) });
  }

  dismiss(): void {
    if (this.left.value?.some(({ id }) => id === player.playing.value)) player.stop();
    this.left.value = null;
    this.#keep(nothingMissed);
  }

  async #fetch(): Promise<Recording[]> {
    const { spans, heard } = this.kept.value;
    const found = await Promise.all(spans.map((span) => missedIn(span.from_ms, span.until_ms)));
    return inOrder(found.flat(), heard);
  }

  #heard(id: string): void {
    const left = (this.left.value ?? []).filter((one) => one.id !== id);
    if (left.length === 0) return this.dismiss();
    this.left.value = left;
    this.#keep({ ...this.kept.value, heard: [...this.kept.value.heard, id] });
  }

  #keep(kept: Kept): void {
    this.kept.value = kept;
    if (kept.spans.length) localStorage.setItem(this.#name, JSON.stringify(kept));
    else localStorage.removeItem(this.#name);
  }
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
