// Consecutive bursts as one timeline: who spoke when, to scale, one strip a conversation. Pure.

import type { Recording } from "./recordings";

/** A pause so long ends a conversation. */
export const PAUSE_MS = 20_000;

/** A burst on its strip: begin and width as parts of the whole, 0 to 1. */
export type Placed = { one: Recording; at: number; width: number };

export type Conversation = {
  group: string;
  name: string;
  from: number;
  until: number;
  /** Who spoke, in the order of their first words. */
  talkers: string[];
  tier: 0 | 1 | 2;
  bursts: Placed[];
};

/** Conversations of every group, the newest first; the bursts of each in order of time. */
export function conversations(found: readonly Recording[]): Conversation[] {
  const byGroup = new Map<string, Recording[]>();
  for (const one of [...found].sort((a, b) => a.started_ms - b.started_ms)) {
    byGroup.set(one.group, [...(byGroup.get(one.group) ?? []), one]);
  }
  return [...byGroup.values()]
    .flatMap(split)
    .map(placed)
    .sort((a, b) => b.from - a.from);
}

/** What can be heard of several groups, as it was said: one after the other by the clock. */
export function together(found: readonly Recording[]): Recording[] {
  return found.filter(({ audio }) => audio).sort((a, b) => a.started_ms - b.started_ms);
}

function split(bursts: readonly Recording[]): Recording[][] {
  const found: Recording[][] = [];
  let until = Number.NEGATIVE_INFINITY;
  for (const one of bursts) {
    if (one.started_ms - until > PAUSE_MS) found.push([]);
    found.at(-1)?.push(one);
    until = Math.max(until, one.started_ms + one.duration_ms);
  }
  return found;
}

function placed(bursts: readonly Recording[]): Conversation {
  const [first] = bursts as [Recording];
  const from = first.started_ms;
  const until = Math.max(...bursts.map((one) => one.started_ms + one.duration_ms));
  const length = Math.max(1, until - from);
  return {
    group: first.group,
    name: first.group_name || first.group,
    from,
    until,
    talkers: [...new Set(bursts.map(({ talker }) => talker.name))],
    tier: Math.max(...bursts.map(({ tier }) => tier)) as Conversation["tier"],
    bursts: bursts.map((one) => ({
      one,
      at: (one.started_ms - from) / length,
      width: one.duration_ms / length,
    })),
  };
}
