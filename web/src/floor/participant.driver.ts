// One participant on a clock of its own, for the tests of its rules and those of any sequence.

import { type ParticipantEffect, type ParticipantInput, type ParticipantState, start } from "./model";
import { deadline, handle } from "./participant";

export const GROUP = "g1";

/** Drives one participant on a clock of its own; `run` lets every deadline up to a moment come due. */
export class Driver {
  state: ParticipantState = start;
  now = 1_000_000;
  effects: ParticipantEffect[] = [];

  constructor() {
    this.feed({ type: "link", state: "up" });
    this.feed({ type: "group", group: GROUP, yours: "none" });
    this.effects = [];
  }

  feed(input: ParticipantInput): ParticipantEffect[] {
    const [next, effects] = handle(this.state, input, this.now);
    this.state = next;
    this.effects.push(...effects);
    return effects;
  }

  run(ms: number): ParticipantEffect[] {
    const until = this.now + ms;
    const from = this.effects.length;
    for (let due = deadline(this.state); due !== null && due <= until; due = deadline(this.state)) {
      this.now = Math.max(this.now, due);
      this.feed({ type: "tick" });
    }
    this.now = until;
    return this.effects.slice(from);
  }

  request(): string {
    const sent = this.effects.findLast((effect) => effect.type === "send_request");
    return sent?.type === "send_request" ? sent.id : "";
  }

  release(): string {
    const sent = this.effects.findLast((effect) => effect.type === "send_release");
    return sent?.type === "send_release" ? sent.id : "";
  }

  grant(burst = 7, more: { durationMs?: number; fromQueue?: boolean } = {}): ParticipantEffect[] {
    const { durationMs = 30_000, fromQueue = false } = more;
    return this.feed({ type: "granted", id: this.request(), group: GROUP, burst, durationMs, fromQueue });
  }

  queue(position = 1): ParticipantEffect[] {
    return this.feed({ type: "queued", group: GROUP, position, size: 3 });
  }

  deny(retryAfterMs: number | null = null): ParticipantEffect[] {
    const id = this.request();
    return this.feed({ type: "deny", id, group: GROUP, cause: 1, code: "floor_taken", retryAfterMs });
  }

  names(): string[] {
    return this.effects.map(named);
  }
}

export function named(effect: ParticipantEffect): string {
  return effect.type === "tone" ? `tone:${effect.tone}` : effect.type;
}

export function talking(): Driver {
  const phone = new Driver();
  phone.feed({ type: "press" });
  phone.grant();
  phone.effects = [];
  return phone;
}
