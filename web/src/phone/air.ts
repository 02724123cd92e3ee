// What carries voice to and from one phone: media path, microphone, slots and the page's sound, and what is known of them.

import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { type MicrophoneState, VoiceInput } from "../media/microphone";
import { MediaPath, type PathState } from "../media/path";
import { REDUNDANCY, Redundancy } from "../media/redundancy";
import { type Mix, Slots } from "../media/slots";
import { Sound } from "../media/sound";
import { SlotWatch } from "../media/watch";
import { relayOnly, voiceProcessing } from "../settings";
import type { Carried } from "../wire/picture";
import type { Tier } from "../wire/protocol";
import { Warmth } from "./warmth";

/** How a group sounds while what is said in it has this tier. */
export type MixOf = (group: string, tier: Tier) => Mix;

export type AirOwner = {
  pathChanged: (state: PathState) => void;
  /** The browser lets this page sound, or no longer. */
  soundChanged: () => void;
  /** Voice that must come does not. */
  stalled: () => void;
  /** The last word of a burst that has ended was heard on this slot. */
  over: (slot: number) => void;
  microphone: (state: MicrophoneState) => void;
};

export class Air {
  readonly pathState = signal<PathState>("none");
  readonly soundLocked = signal(false);
  readonly microphoneState = signal<MicrophoneState>("cold");
  /** Loudness of what goes out while this phone talks, else of what is heard, 0 to 1. */
  readonly level = signal(0);
  /** Slot number → loudness of what is heard on it, 0 to 1. */
  readonly levels = signal<Readonly<Record<number, number>>>({});
  readonly sound: Sound;
  readonly slots: Slots;
  readonly path: MediaPath;
  readonly voice: VoiceInput;
  readonly warmth: Warmth;
  readonly #redundancy: Redundancy;
  #mix: MixOf = () => ({ gain: 1, pan: 0 });

  /** With `mixes` each group gets a fader and a side of its own, as `setMix` says. `carried`: what the slots carry. */
  constructor(owner: AirOwner, carried: ReadonlySignal<readonly Carried[]>, mixes: boolean) {
    this.sound = new Sound((locked) => {
      this.soundLocked.value = locked;
      owner.soundChanged();
    });
    const locked = (locked: boolean) => {
      this.soundLocked.value = locked || this.sound.locked;
    };
    this.slots = new Slots(locked, mixes ? this.sound.context : null);
    this.path = new MediaPath(
      {
        changed: (state) => {
          this.pathState.value = state;
          owner.pathChanged(state);
        },
        receivers: (receivers) => this.slots.attach(receivers),
      },
      relayOnly(),
    );
    this.#redundancy = new Redundancy(
      () => this.path.uplink,
      (twice) => this.path.twice(twice),
    );
    this.voice = new VoiceInput(
      this.sound.context,
      () => this.path.uplink,
      (state) => {
        this.microphoneState.value = state;
        owner.microphone(state);
      },
      voiceProcessing(),
    );
    this.warmth = new Warmth(this.voice);
    const watch = new SlotWatch(this.slots, {
      stalled: owner.stalled,
      over: owner.over,
      levels: (levels) => {
        this.levels.value = levels;
      },
    });
    effect(() => watch.expect(carried.value));
  }

  /** Voice can flow, or could a moment ago. */
  get carries(): boolean {
    const state = this.pathState.value;
    return state === "connected" || state === "interrupted";
  }

  /** Begins; `talks` tells whether voice goes out now. Returns what ends it. */
  start(talks: () => boolean): () => void {
    const looking = window.setInterval(() => {
      if (talks()) void this.#redundancy.look();
    }, REDUNDANCY.lookEveryMs);
    void this.warmth.watch();
    return () => {
      clearInterval(looking);
      this.path.close();
      this.slots.clear();
    };
  }

  /** Any touch: the moment in which a browser lets sound and microphone begin. */
  touched(): void {
    void this.sound.unlock();
    void this.slots.play();
    if (this.microphoneState.value === "cold" && !this.warmth.askFirst.value) void this.voice.prepare();
  }

  /** Reads the loudness of what goes out (`talks`), or of the loudest that is heard. */
  measure(talks: boolean): void {
    const heard = () => Math.min(1, Math.max(0, ...Object.values(this.levels.peek())) * 2);
    this.level.value = talks ? this.voice.level() : heard();
  }

  setMix(mix: MixOf): void {
    this.#mix = mix;
  }

  /** Lets each slot sound as its group should; `tierOf` says how urgent that is beside the burst itself. */
  applyMix(carried: readonly Carried[], tierOf: (group: string) => Tier): void {
    for (const { slot, group, tier } of carried) {
      if (group) this.slots.mix(slot, this.#mix(group, Math.max(tier ?? 0, tierOf(group)) as Tier));
    }
  }
}
