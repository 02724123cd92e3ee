// What a floor participant (TS 24.380 §6.2) is made of: its state, what comes in, what goes out, and its limits.

import type { DenyCause, Refusal, RevokeCause } from "../wire/protocol";

export const LIMITS = {
  /** From key up to the detach: the microphone's path of 20 ms empties, then silence for the longest frame and 60 ms more. */
  silenceMs: 140,
  /** A detach that takes longer is not waited for. */
  detachMs: 300,
  /** No answer to a Floor Request: the standard's T101 with its retransmissions, over a channel that repeats by itself. */
  answerMs: 3000,
  /** No answer to a Floor Release (T100). */
  releaseMs: 2000,
  /** Length of the beep that goes before the microphone opens on a grant from the queue. */
  queueBeepMs: 350,
  /** The talker is warned so long before the time limit. */
  warningMs: 5000,
  /** How long the outcome of a press stays on the page. */
  noticeMs: 4000,
} as const;

export type Tone =
  | "permit"
  | "permit_from_queue"
  | "queued"
  | "denied"
  | "revoked"
  | "warning"
  | "no_network";

export type Notice =
  | { kind: "denied"; code: Refusal; cause: DenyCause | null; retryAt: number | null }
  | { kind: "revoked"; cause: RevokeCause }
  | { kind: "no_network" }
  | { kind: "no_answer" }
  | { kind: "no_media_path" };

export type Phase =
  | { name: "has_no_permission" }
  | { name: "pending_request"; request: string; until: number }
  | { name: "queued"; request: string; position: number; size: number }
  | {
      name: "has_permission";
      burst: number;
      /** When the time limit will take the floor away. */
      endsAt: number;
      warned: boolean;
      /** The microphone opens then, after the beep of a grant from the queue; null when it has been open since the press. */
      openAt: number | null;
      revoke: { cause: RevokeCause; endsAt: number } | null;
    }
  | {
      name: "pending_release";
      request: string;
      burst: number | null;
      /** Id of the Floor Release once it was sent. */
      sent: string | null;
      until: number;
    };

export type Microphone =
  | { name: "off" }
  | { name: "on" }
  | { name: "silencing" | "detaching"; until: number };

export type ParticipantState = {
  /** Signaling and media both there: a request could be answered. */
  link: "up" | "down" | "no_media_path";
  group: string | null;
  /** The key is down and its press still counts: after a refusal it must be pressed anew. */
  held: boolean;
  serial: number;
  phase: Phase;
  microphone: Microphone;
  notice: (Notice & { until: number }) | null;
};

export type ParticipantInput =
  | { type: "press" }
  | { type: "lift" }
  | { type: "tick" }
  | { type: "link"; state: ParticipantState["link"] }
  | { type: "group"; group: string | null; yours: "none" | "queued" | "granted" | "revoked" }
  | { type: "detached" }
  | {
      type: "granted";
      id: string | null;
      group: string;
      burst: number;
      durationMs: number;
      fromQueue: boolean;
    }
  | {
      type: "deny";
      id: string | null;
      group: string;
      cause: DenyCause | null;
      code: Refusal;
      retryAfterMs: number | null;
    }
  | { type: "queued"; group: string; position: number; size: number }
  | { type: "revoke"; group: string; burst: number; cause: RevokeCause; graceMs: number }
  /** Nobody has the floor any more; `burst` was the last. */
  | { type: "idle"; group: string; burst: number }
  | { type: "answered"; id: string }
  | { type: "refused"; id: string; code: Refusal; retryAfterMs: number | null };

export type ParticipantEffect =
  | { type: "send_request"; id: string; group: string }
  | { type: "send_release"; id: string; group: string; burst: number | null }
  | { type: "open_microphone" }
  | { type: "silence_microphone" }
  | { type: "detach_microphone" }
  | { type: "tone"; tone: Tone };

export type Step = [ParticipantState, ParticipantEffect[]];

export const start: ParticipantState = {
  link: "down",
  group: null,
  held: false,
  serial: 0,
  phase: { name: "has_no_permission" },
  microphone: { name: "off" },
  notice: null,
};
