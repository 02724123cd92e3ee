// Runs the participant: the one place that reads the clock, arms its timer and carries its effects out.

import { batch, type Signal, signal } from "@preact/signals";
import { mark } from "../diagnostics";
import type { ClientMessage, ServerMessage } from "../wire/protocol";
import {
  type ParticipantEffect,
  type ParticipantInput,
  type ParticipantState,
  start,
  type Tone,
} from "./model";
import { deadline, handle, mutesSlots } from "./participant";

export type FloorPorts = {
  /** Sends what a person waits for. */
  urge: (message: ClientMessage & { id: string }) => boolean;
  voice: { open: () => void; silence: () => void; detach: () => Promise<void> };
  tone: (tone: Tone) => void;
  muteSlots: (muted: boolean) => void;
};

export class FloorRunner {
  readonly state: Signal<ParticipantState>;
  #timer = 0;

  constructor(
    private readonly ports: FloorPorts,
    from: ParticipantState = start,
  ) {
    this.state = signal(from);
  }

  feed(input: ParticipantInput): void {
    const [next, effects] = handle(this.state.peek(), input, performance.now());
    // The request leaves before anything is drawn.
    batch(() => {
      this.state.value = next;
      for (const effect of effects) this.#carryOut(effect);
    });
    this.ports.muteSlots(mutesSlots(next));
    clearTimeout(this.#timer);
    const due = deadline(this.state.peek());
    if (due === null) return;
    this.#timer = window.setTimeout(() => this.feed({ type: "tick" }), Math.max(0, due - performance.now()));
  }

  received(message: ServerMessage): void {
    const input = translated(message);
    if (!input) return;
    if (input.type !== "answered" && input.type !== "idle")
      mark(`floor_${input.type}`, { ...message, type: undefined });
    this.feed(input);
  }

  #carryOut(effect: ParticipantEffect): void {
    switch (effect.type) {
      case "send_request":
        mark("floor_request", { group: effect.group });
        this.ports.urge({ type: "floor_request", id: effect.id, group: effect.group });
        return;
      case "send_release":
        mark("floor_release", { group: effect.group, burst: effect.burst });
        this.ports.urge({
          type: "floor_release",
          id: effect.id,
          group: effect.group,
          ...(effect.burst === null ? {} : { burst: effect.burst }),
        });
        return;
      case "open_microphone":
        return this.ports.voice.open();
      case "silence_microphone":
        return this.ports.voice.silence();
      case "detach_microphone":
        void this.ports.voice.detach().then(() => this.feed({ type: "detached" }));
        return;
      case "tone":
        return this.ports.tone(effect.tone);
    }
  }
}

/** What a message of the server means to the participant; null when it is no matter of the floor. */
export function translated(message: ServerMessage): ParticipantInput | null {
  switch (message.type) {
    case "floor_granted":
      return {
        type: "granted",
        id: message.id ?? null,
        group: message.group,
        burst: message.burst,
        durationMs: message.duration_ms,
        fromQueue: message.from_queue ?? false,
      };
    case "floor_deny":
      return {
        type: "deny",
        id: message.id ?? null,
        group: message.group,
        cause: message.cause,
        code: message.code,
        retryAfterMs: message.retry_after_ms ?? null,
      };
    case "floor_queued":
      return { type: "queued", group: message.group, position: message.position, size: message.size };
    case "floor_revoke":
      return {
        type: "revoke",
        group: message.group,
        burst: message.burst,
        cause: message.cause,
        graceMs: message.grace_ms,
      };
    case "floor_idle":
      return message.burst ? { type: "idle", group: message.group, burst: message.burst } : null;
    case "selected":
      return { type: "group", group: message.group.id, yours: message.group.yours ?? "none" };
    case "ok":
      return { type: "answered", id: message.id };
    case "error":
      return message.id
        ? {
            type: "refused",
            id: message.id,
            code: message.code,
            retryAfterMs: message.retry_after_ms ?? null,
          }
        : null;
    default:
      return null;
  }
}
