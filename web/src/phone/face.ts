// What the officer's page shows: one face out of everything known. Pure, so that every state can be tested and drawn.

import type { ParticipantState } from "../floor/model";
import type { MicrophoneState } from "../media/microphone";
import type { PathState } from "../media/path";
import type { LinkState } from "../wire/link";
import type { Carried, Floor } from "../wire/picture";
import type { Person, Refusal, RevokeCause } from "../wire/protocol";

export type Facts = {
  dismissed: Refusal | null;
  secure: boolean;
  online: boolean;
  link: LinkState;
  path: PathState;
  soundLocked: boolean;
  microphone: MicrophoneState;
  /** The person chose to go on without a microphone or with sound kept back. */
  waved: boolean;
  askFirst: boolean;
  me: string | null;
  /** The key is down, and speaks as soon as its owner can know where. */
  waits: boolean;
  mayTalk: boolean;
  participant: ParticipantState;
  floor: Floor;
  /** What is heard in that group. */
  heard: Carried | null;
};

/** A problem that only the person can mend: it takes the whole screen and says what to do. */
export type Obstacle =
  | { name: "dismissed"; code: Refusal }
  | {
      name:
        | "insecure"
        | "sound_locked"
        | "microphone_ask"
        | "microphone_refused"
        | "microphone_missing"
        | "microphone_lost"
        | "no_media_path";
    };

export type Face =
  | { name: "connecting" | "reconnecting" | "no_network" | "no_answer" | "no_group" | "no_path_yet" }
  | {
      name:
        | "idle"
        | "listen_only"
        | "requesting"
        | "hold_on"
        | "microphone_starting"
        | "releasing"
        | "get_ready";
    }
  | { name: "talking" | "ending"; endsAt: number }
  | { name: "revoked_grace"; cause: RevokeCause; endsAt: number }
  | { name: "revoked"; cause: RevokeCause }
  | { name: "queued"; position: number; size: number }
  | { name: "denied"; code: Refusal; retryAt: number | null }
  | {
      name: "taken";
      by: Person;
      tier: 0 | 1 | 2;
      /** The floor is free again, and his last words still come. */
      over: boolean;
    };

/** The countdown is shown large from here on. */
export const COUNTDOWN_MS = 10_000;

export function obstacle(facts: Facts): Obstacle | null {
  if (facts.dismissed) return { name: "dismissed", code: facts.dismissed };
  if (!facts.secure) return { name: "insecure" };
  if (facts.soundLocked) return { name: "sound_locked" };
  if (facts.link === "up" && facts.path === "failed") return { name: "no_media_path" };
  if (facts.waved) return null;
  if (facts.askFirst && (facts.microphone === "cold" || facts.microphone === "starting")) {
    return { name: "microphone_ask" };
  }
  if (facts.microphone === "refused") return { name: "microphone_refused" };
  if (facts.microphone === "missing" || facts.microphone === "unsupported")
    return { name: "microphone_missing" };
  if (facts.microphone === "lost") return { name: "microphone_lost" };
  return null;
}

export function face(facts: Facts, now: number): Face {
  return (
    ofTalker(facts, now) ?? ofNotice(facts, now) ?? ofLink(facts) ?? ofFloor(facts) ?? { name: "no_group" }
  );
}

function ofTalker({ participant, microphone, waits }: Facts, now: number): Face | null {
  const { phase } = participant;
  switch (phase.name) {
    case "pending_request":
      return { name: "requesting" };
    case "queued":
      return { name: "queued", position: phase.position, size: phase.size };
    case "has_permission":
      if (phase.revoke) return { name: "revoked_grace", ...phase.revoke };
      if (phase.openAt !== null) return { name: "get_ready" };
      if (microphone === "starting" || microphone === "cold") return { name: "microphone_starting" };
      return { name: phase.endsAt - now <= COUNTDOWN_MS ? "ending" : "talking", endsAt: phase.endsAt };
    case "pending_release":
      return participant.notice ? null : { name: "releasing" };
    case "has_no_permission":
      return waits ? { name: "hold_on" } : null;
  }
}

function ofNotice({ participant }: Facts, now: number): Face | null {
  const { notice } = participant;
  if (!notice || notice.until <= now) return null;
  switch (notice.kind) {
    case "denied":
      return { name: "denied", code: notice.code, retryAt: notice.retryAt };
    case "revoked":
      return { name: "revoked", cause: notice.cause };
    case "no_network":
      return { name: "no_network" };
    case "no_answer":
      return { name: "no_answer" };
    case "no_media_path":
      return { name: "no_path_yet" };
  }
}

function ofLink(facts: Facts): Face | null {
  if (!facts.online) return { name: "no_network" };
  const hears = facts.path === "connected" || facts.path === "interrupted";
  if (facts.link === "reconnecting") return { name: hears ? "reconnecting" : "connecting" };
  if (facts.link !== "up" || facts.path === "none" || facts.path === "connecting")
    return { name: "connecting" };
  return null;
}

function ofFloor({ participant, floor, heard, me, mayTalk }: Facts): Face | null {
  if (participant.group === null) return null;
  if (floor.state === "taken" && floor.by && floor.by.id !== me) {
    return { name: "taken", by: floor.by, tier: floor.tier ?? 0, over: false };
  }
  if (floor.state === "idle" && heard?.by && heard.burst === floor.burst) {
    return { name: "taken", by: heard.by, tier: heard.tier ?? 0, over: true };
  }
  return { name: mayTalk ? "idle" : "listen_only" };
}
