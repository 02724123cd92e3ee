// What happened and when, for those who measure: `window.__poc.events`, a ring of the last five thousand marks.
//
// Each mark is `{t, name, ...detail}` with `t` in ms of `performance.now()`. Marks of one talk burst, in order:
//   pointerdown   the key went down (t is the event's own time stamp)
//   floor_request, floor_granted, floor_denied, floor_queued, floor_revoked, floor_release
//   tone          {tone, at}: `at` is when its first sample is scheduled to sound
//   mic_open, mic_silent, mic_detached
//   slot          {slot, burst, group, by}: what a slot carries from now on
//   first_voice   {slot, burst, at}: the first packet of a burst was played on a slot
// and of the connection: link {state}, media {state}, ice_restart {reason}, listening {state, reason}, face {state}.

export type Mark = { t: number; name: string; [detail: string]: unknown };

const CAPACITY = 5000;

const events: Mark[] = [];

export function mark(name: string, detail: Record<string, unknown> = {}, t = performance.now()): void {
  events.push({ ...detail, t, name });
  if (events.length > CAPACITY) events.splice(0, events.length - CAPACITY);
}

export type Diagnostics = {
  events: Mark[];
  /** The sound of each slot as it is played, so that a test may listen to what a person would hear. */
  streams: MediaStream[];
  peer: RTCPeerConnection | null;
};

declare global {
  interface Window {
    __poc: Diagnostics;
  }
}

export const diagnostics: Diagnostics = { events, streams: [], peer: null };

if (typeof window !== "undefined") window.__poc = diagnostics;
