// Several floors at once: each group has a participant of its own, all speak through the one microphone.

import { computed, signal } from "@preact/signals";
import type { ServerMessage } from "../wire/protocol";
import { type ParticipantInput, type ParticipantState, start, type Tone } from "./model";
import { type FloorPorts, FloorRunner } from "./runner";

type Voice = FloorPorts["voice"];

/** Request ids of the further participants begin here, each so far from the next: answers must find the one who asked. */
const SERIALS_APART = 1_000_000;
/** Participants that are granted together sound once. */
const SAME_TONE_MS = 150;

/** One microphone for several participants: it opens with the first and is silenced and detached with the last. */
export class SharedVoice {
  #speaking = new Set<object>();
  #attached = new Set<object>();

  constructor(private readonly voice: Voice) {}

  port(): Voice {
    const me = {};
    return {
      open: () => {
        const first = this.#speaking.size === 0;
        this.#speaking.add(me);
        this.#attached.add(me);
        if (first) this.voice.open();
      },
      silence: () => {
        if (this.#speaking.delete(me) && this.#speaking.size === 0) this.voice.silence();
      },
      detach: () => {
        this.#speaking.delete(me);
        const last = this.#attached.delete(me) && this.#attached.size === 0;
        return last ? this.voice.detach() : Promise.resolve();
      },
    };
  }
}

/** The floor of the page, and those of further groups while one talks into several. */
export class Floors {
  readonly #voice: SharedVoice;
  readonly #main: FloorRunner;
  readonly #further = signal<readonly FloorRunner[]>([]);
  #muting = new Set<object>();
  #toned = { tone: "", at: 0 };
  #made = 0;

  constructor(private readonly ports: FloorPorts) {
    this.#voice = new SharedVoice(ports.voice);
    this.#main = this.#runner(0);
  }

  readonly state = computed(() => this.#main.state.value);
  /** Every participant, the page's own first. */
  readonly all = computed<readonly ParticipantState[]>(() =>
    [this.#main, ...this.#further.value].map(({ state }) => state.value),
  );

  /** A further way into the one microphone, for a call that has no floor. */
  port(): Voice {
    return this.#voice.port();
  }

  feed(input: ParticipantInput): void {
    this.#main.feed(input);
    if (input.type === "link" || input.type === "lift") this.#feedFurther(input);
  }

  /** `into`: where a press goes now. What is said there goes on while another group is selected beneath it. */
  received(message: ServerMessage, into: string | null = null): void {
    if (message.type === "selected") {
      const { group, phase } = this.#main.state.peek();
      const goesOn = phase.name !== "has_no_permission" && group !== null && group === into;
      if (!goesOn || group === message.group.id) this.#main.received(message);
      return;
    }
    this.#main.received(message);
    for (const each of this.#further.peek()) each.received(message);
    this.#prune();
  }

  /** Presses in further groups, beside the press that the page's own participant just made. */
  pressAlso(groups: readonly string[]): void {
    this.#prune();
    const link = this.#main.state.peek().link;
    const busy = new Set(this.#further.peek().map(({ state }) => state.peek().group));
    const more = groups.filter((group) => !busy.has(group)).map((group) => this.#pressed(group, link));
    this.#further.value = [...this.#further.peek(), ...more];
  }

  #pressed(group: string, state: ParticipantState["link"]): FloorRunner {
    const runner = this.#runner(++this.#made * SERIALS_APART);
    runner.feed({ type: "link", state });
    runner.feed({ type: "group", group, yours: "none" });
    runner.feed({ type: "press" });
    return runner;
  }

  #feedFurther(input: ParticipantInput): void {
    for (const each of this.#further.peek()) each.feed(input);
    this.#prune();
  }

  /** Lets go of those that have nothing more to do or to show. */
  #prune(): void {
    const kept = this.#further.peek().filter(({ state }) => {
      const { phase, microphone, notice } = state.peek();
      return phase.name !== "has_no_permission" || microphone.name !== "off" || notice !== null;
    });
    if (kept.length !== this.#further.peek().length) this.#further.value = kept;
  }

  #runner(serial: number): FloorRunner {
    const me = {};
    return new FloorRunner(
      {
        ...this.ports,
        voice: this.#voice.port(),
        tone: (tone) => this.#tone(tone),
        muteSlots: (muted) => {
          if (muted) this.#muting.add(me);
          else this.#muting.delete(me);
          this.ports.muteSlots(this.#muting.size > 0);
        },
      },
      { ...start, serial },
    );
  }

  #tone(tone: Tone): void {
    const now = performance.now();
    if (tone === this.#toned.tone && now - this.#toned.at < SAME_TONE_MS) return;
    this.#toned = { tone, at: now };
    this.ports.tone(tone);
  }
}
