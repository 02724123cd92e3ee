// Whether a person would hear this page now, and telling the server so.

import { mark } from "../diagnostics";
import type { ClientMessage, NotListening } from "../wire/protocol";
import { deafness, worthSaying } from "./listening";

type Listening = Extract<ClientMessage, { type: "listening" }>;

/** What hearing depends on, beside whether the page is seen. */
export type Senses = {
  soundLocked: () => boolean;
  microphoneLost: () => boolean;
  media: () => boolean;
  /** Seconds of sound played so far. */
  played: () => number;
};

export class Hearing {
  #hiddenSince: { at: number; played: number } | null = null;
  #frozen = false;
  #said: NotListening | null | undefined;
  #saidAt = 0;

  constructor(
    private readonly senses: Senses,
    private readonly send: (listening: Listening) => void,
  ) {}

  hidden(): void {
    this.#hiddenSince = { at: performance.now(), played: this.senses.played() };
    this.report();
  }

  shown(): void {
    this.#hiddenSince = null;
    this.#frozen = false;
    this.report();
  }

  frozen(): void {
    this.#frozen = true;
    this.report();
  }

  /** Why a person would not hear this page now; null when he would. */
  deafness(): NotListening | null {
    const hidden = this.#hiddenSince;
    const now = performance.now();
    // Half the time that went by must have been played, else the sound has stopped behind the page's back.
    const played = hidden ? (this.senses.played() - hidden.played) * 1000 : 0;
    return deafness({
      soundLocked: this.senses.soundLocked(),
      hidden: hidden !== null,
      soundsWhileHidden: hidden !== null && now - hidden.at > 1000 && played > (now - hidden.at) / 2,
      microphoneLost: this.senses.microphoneLost(),
      frozen: this.#frozen,
      media: this.senses.media(),
    });
  }

  /** Whether a burst that began now would be heard, as the server is told. */
  listening(): Listening {
    const reason = this.deafness();
    return reason ? { type: "listening", state: "no", reason } : { type: "listening", state: "yes" };
  }

  /** Called every `LOOK_EVERY_MS`. */
  look(): void {
    if (worthSaying(this.deafness() !== this.#said, performance.now() - this.#saidAt)) this.report();
  }

  report(): void {
    const listening = this.listening();
    this.#said = listening.reason ?? null;
    this.#saidAt = performance.now();
    mark("listening", { reason: listening.reason ?? null });
    this.send(listening);
  }
}
