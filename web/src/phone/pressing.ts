// The talk key of a phone, whoever holds it down: a thumb, a console's key, an SOS that opens the microphone for a while.

import { batch, type ReadonlySignal } from "@preact/signals";
import { mark } from "../diagnostics";
import type { Floors } from "../floor/several";
import type { MicrophoneState } from "../media/microphone";

export type KeyOwner = {
  /** Something only the person can mend is in the way. */
  blocked: () => boolean;
  /** The phone must give no sign of it. */
  covert: ReadonlySignal<boolean>;
};

export class Pressing {
  #openUntil = 0;

  constructor(
    private readonly floors: Floors,
    private readonly owner: KeyOwner,
  ) {}

  press(at: number): void {
    mark("pointerdown", {}, at);
    if (this.owner.blocked()) return;
    if (!this.owner.covert.peek()) navigator.vibrate?.(20);
    this.#openUntil = 0;
    this.floors.feed({ type: "press" });
  }

  /** Presses on a group that need not be the selected one: a console's key, an SOS, a leader's call; on others with it. */
  pressIn(group: string, at: number, also: readonly string[] = []): void {
    const { group: now, held, phase } = this.floors.state.peek();
    if (held || phase.name !== "has_no_permission") return;
    // In one step: between the two the floor would follow the selection back.
    batch(() => {
      if (group !== now) this.floors.feed({ type: "group", group, yours: "none" });
      this.press(at);
    });
    if (also.length > 0 && this.floors.state.peek().phase.name === "pending_request")
      this.floors.pressAlso(also);
  }

  /** Opens the microphone in a group for `ms`, whatever becomes of the page meanwhile; the key pressed by hand takes over. */
  openFor(group: string, ms: number): void {
    this.pressIn(group, performance.now());
    const until = performance.now() + ms;
    this.#openUntil = until;
    setTimeout(() => {
      if (this.#openUntil !== until) return;
      this.#openUntil = 0;
      this.lift();
    }, ms);
  }

  lift(): void {
    if (this.floors.all.peek().some(({ held, phase }) => held || phase.name !== "has_no_permission")) {
      this.floors.feed({ type: "lift" });
    }
  }

  /** No "up" of a thumb will come any more; what was opened for a while stays open. */
  lost(): void {
    if (!this.#openUntil) this.lift();
  }

  /** A telephone call took the microphone: nobody can hear this person, and others may want to speak. */
  microphone(state: MicrophoneState): void {
    if (state === "lost") this.lost();
  }
}
