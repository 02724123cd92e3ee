// A line without a floor: in a full duplex call, and while this phone is listened to (远程激活), the microphone stays open for as
// long as the call runs. A browser shows by itself that it records, and so does the page (phone/view/Affairs.tsx).

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { LIMITS } from "../floor/model";
import type { Affairs } from "../wire/affairs";

/** Whoever listened may be gone, and could not say so: without a link a phone is listened to no longer than this. */
export const LISTENED_WITHOUT_LINK_MS = 5000;

type Voice = { open: () => void; silence: () => void; detach: () => Promise<void> };

export class OpenLine {
  #open = false;
  #timer = 0;

  constructor(private readonly voice: Voice) {}

  set(open: boolean): void {
    if (open === this.#open) return;
    this.#open = open;
    clearTimeout(this.#timer);
    if (open) return this.voice.open();
    this.voice.silence();
    this.#timer = window.setTimeout(() => void this.voice.detach(), LIMITS.silenceMs);
  }
}

/** Whether a call without a floor runs, in which this person is heard; `cutOff`: the server was not there for a while. */
export function lineIsOpen(affairs: Affairs, me: string | undefined, cutOff = false): boolean {
  return isListenedTo(affairs, cutOff) || duplexRuns(affairs, me);
}

/** Whether this phone is listened to, as its person is told for just as long as its microphone is open for that. */
export function isListenedTo(affairs: Affairs, cutOff: boolean): boolean {
  return affairs.listenedToBy.length > 0 && !cutOff;
}

/** True once `state` has been other than "up" for `LISTENED_WITHOUT_LINK_MS`, whatever else it was meanwhile. */
export function cutOff(state: ReadonlySignal<string>): ReadonlySignal<boolean> {
  const up = computed(() => state.value === "up");
  const off = signal(false);
  effect(() => {
    off.value = false;
    if (up.value) return;
    const timer = window.setTimeout(() => {
      off.value = true;
    }, LISTENED_WITHOUT_LINK_MS);
    return () => clearTimeout(timer);
  });
  return off;
}

function duplexRuns(affairs: Affairs, me: string | undefined): boolean {
  return Object.values(affairs.calls).some(
    ({ duplex, phase, parties }) =>
      duplex === true &&
      phase === "running" &&
      parties.some(({ person, part }) => person.id === me && part === "joined"),
  );
}
