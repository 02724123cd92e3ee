// Plays what was recorded, one after the other, fast or slow. One player a page: a new order ends the one before.

import { signal } from "@preact/signals";

export const RATES = [1, 1.5, 2] as const;
export type Rate = (typeof RATES)[number];

/** Something to hear: `load` fetches it when its turn comes, `from` is where in it to begin, in seconds. */
export type Sound = { id: string; load: () => Promise<Blob>; from?: number };

export type Order = {
  /** The key it was asked for by, so that this key shows it and ends it. */
  by?: string;
  /** Told of each that was played to its end, and how many seconds it has. */
  heard?: (id: string, seconds: number) => void;
  /** Waits while somebody speaks. */
  yields?: boolean;
  rate?: Rate;
};

/** `of`: the key it was asked for by, else the sound itself. `why`: as its `load` rejected, or `Unplayable`. */
export type Failed = { of: string; why: unknown };

/** It was fetched, and the browser makes no sound of it. */
export class Unplayable extends Error {}

/** The part of an `<audio>` element that is used here. */
export type Speaker = Pick<
  HTMLAudioElement,
  "play" | "pause" | "src" | "currentTime" | "playbackRate" | "onended" | "onerror"
>;

export class Player {
  /** Id of what is heard now. */
  readonly playing = signal<string | null>(null);
  readonly by = signal<string | null>(null);
  readonly rate = signal<Rate>(1);
  /** What of the last order could not be heard, if anything. */
  readonly failed = signal<Failed | null>(null);
  #order: Order = {};
  #turn = 0;
  #talking = false;
  #live = false;
  #loaded = false;
  #finish: (heard: boolean) => void = () => undefined;

  #speaker: Speaker | null;
  readonly #hopeless: (why: unknown) => boolean;

  /** `hopeless`: where one is not had for this reason, nothing that follows would be. */
  constructor(speaker: Speaker | null = null, hopeless: (why: unknown) => boolean = () => false) {
    this.#speaker = speaker;
    this.#hopeless = hopeless;
  }

  private get speaker(): Speaker {
    this.#speaker ??= new Audio();
    return this.#speaker;
  }

  /** Resolves to true when all had its turn or could not be had, to false when another order came or it was stopped. */
  async play(sounds: readonly Sound[], order: Order = {}): Promise<boolean> {
    this.stop();
    const turn = this.#turn;
    this.#order = order;
    this.by.value = order.by ?? null;
    this.failed.value = null;
    for (const sound of sounds) {
      this.playing.value = sound.id;
      let hopeless = false;
      const heard = await this.#one(sound, () => turn === this.#turn).catch((why: unknown) => {
        if (turn === this.#turn) this.failed.value = { of: order.by ?? sound.id, why };
        hopeless = this.#hopeless(why);
        return false;
      });
      if (turn !== this.#turn) return false;
      if (heard) order.heard?.(sound.id, this.speaker.currentTime);
      if (hopeless) break;
    }
    this.playing.value = null;
    this.by.value = null;
    return true;
  }

  stop(): void {
    this.#turn += 1;
    this.#loaded = false;
    this.#speaker?.pause();
    this.#finish(false);
    this.playing.value = null;
    this.by.value = null;
  }

  /** The next speed, and the slowest after the fastest. */
  faster(): void {
    this.rate.value = RATES[(RATES.indexOf(this.rate.value) + 1) % RATES.length] ?? 1;
    this.speaker.playbackRate = this.#order.rate ?? this.rate.value;
  }

  /** Never into one's own microphone, and what yields not over a live voice. */
  surroundings({ talking, live }: { talking: boolean; live: boolean }): void {
    const held = this.#held();
    this.#talking = talking;
    this.#live = live;
    if (!this.#loaded || held === this.#held()) return;
    if (held) void this.speaker.play().catch(() => this.#finish(false));
    else this.speaker.pause();
  }

  #held(): boolean {
    return this.#talking || (this.#live && (this.#order.yields ?? false));
  }

  async #one(sound: Sound, mine: () => boolean): Promise<boolean> {
    const content = await sound.load();
    if (!mine()) return false;
    const url = URL.createObjectURL(content);
    try {
      return await new Promise<boolean>((done, fail) => {
        this.#finish = done;
        this.speaker.onended = () => done(true);
        this.speaker.onerror = () => fail(new Unplayable());
        this.speaker.src = url;
        this.speaker.currentTime = sound.from ?? 0;
        this.speaker.playbackRate = this.#order.rate ?? this.rate.value;
        this.#loaded = true;
        if (!this.#held()) void this.speaker.play().catch(() => done(false));
      });
    } finally {
      this.#loaded = false;
      URL.revokeObjectURL(url);
    }
  }
}
