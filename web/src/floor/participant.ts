// The floor participant of TS 24.380 §6.2: one phone's side of floor control, as a pure machine.
//
// `handle(state, input, now)` gives the next state and what to do; `deadline(state)` says when to call it with a tick. It reads no
// clock, touches no browser and never throws on what a server sent: what is not specified for a state is discarded.
//
// Beside the standard's phase the machine keeps the microphone, because a burst has to end in a clean order: silence for a
// frame + 60 ms, then detach, then Floor Release. An encoder that is detached in mid-word plays the rest of that word at the
// start of the next burst.

import type { Notice, ParticipantEffect, ParticipantInput, ParticipantState, Phase, Step } from "./model";
import { LIMITS } from "./model";

const idle: Phase = { name: "has_no_permission" };
/** Of a Revoke to one whose voice comes though the server knows of no burst of his. */
const NO_BURST = 0;
const OTHER = 255;

/** Own slots stay silent while this phone talks, so that nobody hears a loudspeaker in a microphone. */
export function mutesSlots(state: ParticipantState): boolean {
  return (
    state.phase.name === "has_permission" ||
    (state.phase.name === "pending_release" && state.phase.burst !== null)
  );
}

/** When `handle` wants a tick, on the clock of its `now`; null when nothing is due. */
export function deadline(state: ParticipantState): number | null {
  const due: number[] = [];
  const { phase, microphone, notice } = state;
  if (microphone.name === "silencing" || microphone.name === "detaching") due.push(microphone.until);
  if (notice) due.push(notice.until);
  if (phase.name === "pending_request" || phase.name === "pending_release") due.push(phase.until);
  if (phase.name === "has_permission") {
    if (phase.openAt !== null) due.push(phase.openAt);
    if (phase.revoke) due.push(phase.revoke.endsAt);
    else if (!phase.warned) due.push(phase.endsAt - LIMITS.warningMs);
  }
  return due.length ? Math.min(...due) : null;
}

export function handle(state: ParticipantState, input: ParticipantInput, now: number): Step {
  switch (input.type) {
    case "press":
      return press({ ...state, held: true }, now);
    case "lift":
      return lift({ ...state, held: false }, now);
    case "tick":
      return tick(state, now);
    case "link":
      return link(state, input.state, now);
    case "group":
      return enter(state, input.group, input.yours, now);
    case "detached":
      return state.microphone.name === "detaching" ? released(state, now) : [state, []];
    case "answered":
      return answered(state, input.id, now);
    case "refused":
      return refused(state, input, now);
    default:
      return input.group === state.group ? fromServer(state, input, now) : [state, []];
  }
}

type FloorMessage = Extract<ParticipantInput, { type: "granted" | "deny" | "queued" | "revoke" | "idle" }>;

function fromServer(state: ParticipantState, input: FloorMessage, now: number): Step {
  switch (input.type) {
    case "granted":
      return granted(state, input, now);
    case "deny":
      return denied(state, input, now);
    case "queued":
      return queued(state, input, now);
    case "revoke":
      return input.burst === NO_BURST ? ended(state, null, now) : revoked(state, input, now);
    case "idle":
      return ended(state, input.burst, now);
  }
}

function press(state: ParticipantState, now: number): Step {
  if (state.phase.name !== "has_no_permission" || state.group === null) return [state, []];
  if (state.link !== "up") {
    const kind = state.link === "down" ? "no_network" : "no_media_path";
    return [noticed({ ...state, held: false }, { kind }, now), [{ type: "tone", tone: "no_network" }]];
  }
  // The detach of the burst before must be over: two orders at one sender would overtake each other.
  if (state.microphone.name === "detaching") return [{ ...state, notice: null }, []];
  const id = `floor-${state.serial + 1}`;
  return [
    {
      ...state,
      serial: state.serial + 1,
      phase: { name: "pending_request", request: id, until: now + LIMITS.answerMs },
      microphone: { name: "on" },
      notice: null,
    },
    [{ type: "send_request", id, group: state.group }, { type: "open_microphone" }],
  ];
}

function lift(state: ParticipantState, now: number): Step {
  const { phase } = state;
  if (phase.name === "pending_request") return release(state, phase.request, null, now);
  if (phase.name === "queued") return release(state, phase.request, null, now);
  if (phase.name === "has_permission") return release(state, `floor-${state.serial}`, phase.burst, now);
  return [state, []];
}

/** Leaves the floor in the clean order; a closed microphone leaves it at once. */
function release(state: ParticipantState, request: string, burst: number | null, now: number): Step {
  const phase: Phase = { name: "pending_release", request, burst, sent: null, until: now + LIMITS.releaseMs };
  const [closing, effects] = closed({ ...state, phase }, now);
  if (closing.microphone.name !== "off") return [closing, effects];
  const [next, more] = released(closing, now);
  return [next, [...effects, ...more]];
}

/** Begins to close the microphone, whatever it was doing. */
function closed(state: ParticipantState, now: number): Step {
  if (state.microphone.name !== "on") return [state, []];
  return [
    { ...state, microphone: { name: "silencing", until: now + LIMITS.silenceMs } },
    [{ type: "silence_microphone" }],
  ];
}

/** The microphone is off: a release that waited for it goes out, or a key that was pressed meanwhile is answered. */
function released(state: ParticipantState, now: number): Step {
  const off: ParticipantState = { ...state, microphone: { name: "off" } };
  const { phase } = off;
  if (phase.name === "pending_release" && phase.sent === null && off.group !== null) {
    const id = `release-${off.serial}`;
    return [
      { ...off, phase: { ...phase, sent: id, until: now + LIMITS.releaseMs } },
      [{ type: "send_release", id, group: off.group, burst: phase.burst }],
    ];
  }
  return off.held && phase.name === "has_no_permission" ? press(off, now) : [off, []];
}

function granted(
  state: ParticipantState,
  input: Extract<ParticipantInput, { type: "granted" }>,
  now: number,
): Step {
  const { phase } = state;
  const ours = input.id === null || ("request" in phase && phase.request === input.id);
  if (phase.name === "pending_release" && phase.sent === null && ours) {
    return [{ ...state, phase: { ...phase, burst: input.burst } }, []];
  }
  if (phase.name === "has_permission") {
    // Asked again: the same burst with the time that remains.
    if (phase.burst !== input.burst) return [state, []];
    return [{ ...state, phase: { ...phase, endsAt: now + input.durationMs } }, []];
  }
  if ((phase.name !== "pending_request" && phase.name !== "queued") || !ours) return [state, []];
  const waits = state.microphone.name !== "on";
  return [
    {
      ...state,
      phase: {
        name: "has_permission",
        burst: input.burst,
        endsAt: now + input.durationMs,
        warned: input.durationMs <= 2 * LIMITS.warningMs,
        openAt: waits ? now + LIMITS.queueBeepMs : null,
        revoke: null,
      },
      notice: null,
    },
    [{ type: "tone", tone: waits || input.fromQueue ? "permit_from_queue" : "permit" }],
  ];
}

function denied(
  state: ParticipantState,
  input: Extract<ParticipantInput, { type: "deny" }>,
  now: number,
): Step {
  const { phase } = state;
  if (phase.name !== "pending_request" && phase.name !== "queued") return [state, []];
  if (input.id !== null && phase.request !== input.id) return [state, []];
  const retryAt = input.retryAfterMs === null ? null : now + input.retryAfterMs;
  const notice: Notice = { kind: "denied", code: input.code, cause: input.cause, retryAt };
  const [next, effects] = closed(noticed({ ...state, held: false, phase: idle }, notice, now), now);
  return [next, [...effects, { type: "tone", tone: "denied" }]];
}

function queued(
  state: ParticipantState,
  input: Extract<ParticipantInput, { type: "queued" }>,
  now: number,
): Step {
  const { phase } = state;
  if (phase.name !== "pending_request" && phase.name !== "queued") return [state, []];
  const first = phase.name === "pending_request";
  const waiting: Phase = {
    name: "queued",
    request: phase.request,
    position: input.position,
    size: input.size,
  };
  const [next, effects] = closed({ ...state, phase: waiting }, now);
  return [next, first ? [...effects, { type: "tone", tone: "queued" }] : effects];
}

function revoked(
  state: ParticipantState,
  input: Extract<ParticipantInput, { type: "revoke" }>,
  now: number,
): Step {
  const { phase } = state;
  if (phase.name !== "has_permission" || phase.burst !== input.burst) return [state, []];
  const warned: ParticipantState = {
    ...state,
    phase: { ...phase, revoke: { cause: input.cause, endsAt: now + input.graceMs } },
  };
  const tone: ParticipantEffect = { type: "tone", tone: "revoked" };
  if (input.graceMs > 0) return [warned, [tone]];
  const [next, effects] = graceOver(warned, now);
  return [next, [...effects, tone]];
}

/**
 * Nobody hears the burst (`null`: whatever it is) for which this page believes to have the floor: its voice had stayed away for too long
 * (T1), and for that no Revoke of it comes.
 */
function ended(state: ParticipantState, burst: number | null, now: number): Step {
  const { phase, group } = state;
  if (phase.name !== "has_permission" || group === null || (burst ?? phase.burst) !== phase.burst)
    return [state, []];
  if (phase.revoke) return graceOver(state, now);
  return revoked(state, { type: "revoke", group, burst: phase.burst, cause: OTHER, graceMs: 0 }, now);
}

/** The grace after a Revoke is over (T3): the page lets go even if the key stays down. */
function graceOver(state: ParticipantState, now: number): Step {
  const { phase } = state;
  if (phase.name !== "has_permission" || !phase.revoke) return [state, []];
  const notice: Notice = { kind: "revoked", cause: phase.revoke.cause };
  return release(noticed({ ...state, held: false }, notice, now), `floor-${state.serial}`, phase.burst, now);
}

function answered(state: ParticipantState, id: string, now: number): Step {
  const { phase } = state;
  if (phase.name !== "pending_release" || phase.sent !== id) return [state, []];
  return over(state, now);
}

/** An error instead of an answer: a request is denied with it, a release has nothing left to give back. */
function refused(
  state: ParticipantState,
  input: Extract<ParticipantInput, { type: "refused" }>,
  now: number,
): Step {
  if (state.group === null) return [state, []];
  const [next, effects] = answered(state, input.id, now);
  if (next !== state) return [next, effects];
  return denied(state, { ...input, type: "deny", group: state.group, cause: null }, now);
}

/** The release is done with; a key pressed meanwhile asks again. */
function over(state: ParticipantState, now: number): Step {
  const next: ParticipantState = { ...state, phase: idle };
  return next.held ? press(next, now) : [next, []];
}

function link(state: ParticipantState, to: ParticipantState["link"], now: number): Step {
  const next: ParticipantState = { ...state, link: to };
  if (to === "up") return [next, []];
  const wasActive = state.phase.name !== "has_no_permission";
  // A lost voice path alone still lets the floor be given back in order.
  if (to === "no_media_path") {
    const [after, effects] = lift({ ...next, held: false }, now);
    return [wasActive ? noticed(after, { kind: "no_media_path" }, now) : after, effects];
  }
  const [after, effects] = closed({ ...next, held: false, phase: idle }, now);
  if (!wasActive) return [after, effects];
  return [noticed(after, { kind: "no_network" }, now), [...effects, { type: "tone", tone: "no_network" }]];
}

/** Another group, or the same one seen again after a resume: a floor that nobody holds a key for is given back. */
function enter(
  state: ParticipantState,
  group: string | null,
  yours: "none" | "queued" | "granted" | "revoked",
  now: number,
): Step {
  const fresh: ParticipantState = { ...state, group, phase: idle, notice: null };
  const [next, effects] = closed(fresh, now);
  if (yours === "none" || group === null) return [next, effects];
  const [last, more] = release({ ...next, serial: next.serial + 1 }, "", null, now);
  return [last, [...effects, ...more]];
}

function tick(state: ParticipantState, now: number): Step {
  let current = state;
  const effects: ParticipantEffect[] = [];
  for (const due of [microphoneDue, phaseDue, noticeDue]) {
    const [next, more] = due(current, now);
    current = next;
    effects.push(...more);
  }
  return [current, effects];
}

function microphoneDue(state: ParticipantState, now: number): Step {
  const { microphone } = state;
  if (microphone.name === "silencing" && microphone.until <= now) {
    return [
      { ...state, microphone: { name: "detaching", until: now + LIMITS.detachMs } },
      [{ type: "detach_microphone" }],
    ];
  }
  if (microphone.name === "detaching" && microphone.until <= now) return released(state, now);
  return [state, []];
}

function phaseDue(state: ParticipantState, now: number): Step {
  const { phase } = state;
  if (phase.name === "pending_request" && phase.until <= now) {
    const unanswered = noticed({ ...state, held: false }, { kind: "no_answer" }, now);
    const [next, effects] = release(unanswered, phase.request, null, now);
    return [next, [...effects, { type: "tone", tone: "no_network" }]];
  }
  if (phase.name === "pending_release" && phase.sent !== null && phase.until <= now) return over(state, now);
  if (phase.name !== "has_permission") return [state, []];
  if (phase.openAt !== null && phase.openAt <= now) {
    const open: ParticipantState = {
      ...state,
      phase: { ...phase, openAt: null },
      microphone: { name: "on" },
    };
    return [open, [{ type: "open_microphone" }]];
  }
  if (phase.revoke) return phase.revoke.endsAt <= now ? graceOver(state, now) : [state, []];
  if (!phase.warned && phase.endsAt - LIMITS.warningMs <= now) {
    return [{ ...state, phase: { ...phase, warned: true } }, [{ type: "tone", tone: "warning" }]];
  }
  return [state, []];
}

function noticeDue(state: ParticipantState, now: number): Step {
  return state.notice && state.notice.until <= now ? [{ ...state, notice: null }, []] : [state, []];
}

function noticed(state: ParticipantState, notice: Notice, now: number): ParticipantState {
  const retry = notice.kind === "denied" && notice.retryAt !== null ? notice.retryAt : 0;
  return { ...state, notice: { ...notice, until: Math.max(now + LIMITS.noticeMs, retry) } };
}
