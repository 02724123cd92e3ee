// A line without a floor: in a full duplex call, and while this phone is listened to (远程激活), the microphone stays open for as
// long as the call runs. A browser shows by itself that it records, and so does the page (phone/view/Affairs.tsx).

import type { Affairs } from "../wire/affairs";

/** From the last word to the detach: the encoder empties itself, as at the end of a burst. */
const SILENCE_MS = 120;

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
    this.#timer = window.setTimeout(() => void this.voice.detach(), SILENCE_MS);
  }
}

/** Whether a call without a floor runs, in which this person is heard. */
export function lineIsOpen(affairs: Affairs, me: string | undefined): boolean {
  return affairs.listenedToBy.length > 0 || duplexRuns(affairs, me);
}

function duplexRuns(affairs: Affairs, me: string | undefined): boolean {
  return Object.values(affairs.calls).some(
    ({ duplex, phase, parties }) =>
      duplex === true &&
      phase === "running" &&
      parties.some(({ person, part }) => person.id === me && part === "joined"),
  );
}
