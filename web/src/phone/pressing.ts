// The talk key of a phone, whoever holds it down: a thumb, a console's key, an SOS that opens the microphone for a while.

import { batch, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import { mark } from "../diagnostics";
import type { Floors } from "../floor/several";
import type { MicrophoneState } from "../media/microphone";

/** What was opened without a hand waits so long for a network, a sound that is unlocked, a floor that is given back. */
export const OPENS_WITHIN_MS = 60_000;

/**
 * A key that may not speak at once because its owner cannot have seen where, speaks after so long if it is still down: he heard it
 * denied, has the group before his eyes, and did not let go.
 */
export const HOLDS_ON_MS = 1_000;

const DEAF: ReadonlySet<MicrophoneState> = new Set(["lost", "refused", "missing", "unsupported"]);

/** Phases in which nothing is said any more, and nothing asked for. */
const ENDING: ReadonlySet<string> = new Set(["has_no_permission", "pending_release"]);

export type KeyOwner = {
  /** Something only the person can mend is in the way. */
  blocked: () => boolean;
  /** Others changed where the key talks, and the person cannot know yet; he is told so. Asked once for each press. */
  unseen: () => boolean;
  /** The phone must give no sign of it. */
  covert: ReadonlySignal<boolean>;
};

/** Opened for a while by no hand. `speaks`: it does, and is not waiting for its turn any more. */
type Opened = { speaks: boolean };

export class Pressing {
  /** What was opened for a while speaks, and no hand holds it down: there is nothing to let go. */
  readonly byItself = signal(false);
  /** A hand holds it down, and it speaks as soon as its owner can know where. */
  readonly waits = signal(false);
  #waiting: ReturnType<typeof setTimeout> | undefined;
  /** A hand holds it down. */
  #hand = false;
  #opened: Opened | null = null;

  constructor(
    private readonly floors: Floors,
    private readonly owner: KeyOwner,
  ) {}

  /** A press that names no group: it goes where this person talks just now. Who is in danger is not asked whether he saw where. */
  press(at: number): void {
    this.#stopWaiting();
    if (this.owner.blocked()) return;
    if (this.#opened === null && this.owner.unseen()) this.#wait();
    else this.#down(at);
  }

  #wait(): void {
    this.waits.value = true;
    this.#waiting = setTimeout(() => this.press(performance.now()), HOLDS_ON_MS);
  }

  #stopWaiting(): void {
    clearTimeout(this.#waiting);
    this.waits.value = false;
  }

  #down(at: number): void {
    mark("pointerdown", {}, at);
    if (this.owner.blocked()) return;
    this.#hand = true;
    if (this.#opened?.speaks) this.#opened = null;
    this.#tell();
    this.#press();
  }

  /** Presses on a group that need not be the selected one: a console's key, a leader's call; on others with it. */
  pressIn(group: string, at: number, also: readonly string[] = []): void {
    const { held, phase } = this.floors.state.peek();
    if (held || phase.name !== "has_no_permission") return;
    this.#stopWaiting();
    // In one step: between the two the floor would follow the selection back.
    batch(() => {
      this.#enter(group);
      this.#down(at);
    });
    if (also.length > 0 && this.floors.state.peek().phase.name === "pending_request")
      this.floors.pressAlso(also);
  }

  /**
   * Opens the microphone in a group for `ms`, whatever becomes of the page meanwhile, as soon as it can be; a key pressed by hand
   * meanwhile takes over, and one that is held there already goes on. Returns what ends it before its time.
   */
  openFor(group: string, ms: number): () => void {
    const opened: Opened = { speaks: false };
    this.#opened = opened;
    const end = () => {
      clearTimeout(timer);
      stop();
      if (this.#opened !== opened) return;
      this.#opened = null;
      this.#tell();
      if (opened.speaks && !this.#hand) this.#close();
    };
    let timer = setTimeout(end, OPENS_WITHIN_MS);
    const stop = effect(() => {
      const state = this.floors.state.value;
      const blocked = this.owner.blocked();
      if (opened.speaks || this.#opened !== opened || state.link !== "up" || blocked) return;
      untracked(() => {
        if (!this.#spoken(group)) return;
        opened.speaks = true;
        this.#tell();
        clearTimeout(timer);
        timer = setTimeout(end, ms);
      });
    });
    return end;
  }

  /** Whether what was opened speaks in `group` now, or waits for an answer there; who was put into the queue has his answer. */
  opensIn(group: string): boolean {
    const { group: now, phase } = this.floors.state.peek();
    return (
      this.#opened?.speaks === true && now === group && phase.name !== "queued" && !ENDING.has(phase.name)
    );
  }

  /** The hand lets go: what was opened for a while stays open. */
  lift(): void {
    this.#stopWaiting();
    this.#hand = false;
    this.#tell();
    if (!this.#opened?.speaks) this.#close();
  }

  /** No "up" of a thumb will come any more. */
  lost(): void {
    this.lift();
  }

  /**
   * A telephone call took the microphone, or it was pulled and no other may be opened: nobody can hear this person, and others may
   * want to speak.
   */
  microphone(state: MicrophoneState): void {
    if (DEAF.has(state)) this.lost();
  }

  /** Whether this phone asks for the floor of `group`, or has it; elsewhere what it has is given back first. */
  #spoken(group: string): boolean {
    const { group: now, phase } = this.floors.state.peek();
    if (phase.name === "has_no_permission") {
      batch(() => {
        this.#enter(group);
        this.#press();
      });
      return true;
    }
    if (phase.name === "pending_release") return false;
    if (now === group) return true;
    this.#hand = false;
    this.#close();
    return false;
  }

  #tell(): void {
    this.byItself.value = this.#opened?.speaks === true && !this.#hand;
  }

  #enter(group: string): void {
    if (group !== this.floors.state.peek().group) this.floors.feed({ type: "group", group, yours: "none" });
  }

  #press(): void {
    if (!this.owner.covert.peek()) navigator.vibrate?.(20);
    this.floors.feed({ type: "press" });
  }

  #close(): void {
    if (this.floors.all.peek().some(({ held, phase }) => held || phase.name !== "has_no_permission")) {
      this.floors.feed({ type: "lift" });
    }
  }
}
