// Watches the slots while they carry bursts, and until what they carried has been heard: when the first packet sounded, how loud it
// is, whether packets come at all, and when the last word is over.

import { mark } from "../diagnostics";
import type { Carried } from "../wire/picture";
import { type Expectation, expecting, STALL } from "./expectation";
import type { Slots } from "./slots";

const LOOK_EVERY_MS = 40;
/** Till a burst is heard: of what sounded since the last look only the newest packet is known. */
const AWAIT_EVERY_MS = 10;
const MEASURE_EVERY_MS = 120;
const COUNT_EVERY_MS = 250;
/** A burst that has ended is over when its slot has played nothing for so long: longer than frames and their jitter. */
export const OVER_MS = 200;

export type WatchOwner = {
  stalled: () => void;
  levels: (levels: Record<number, number>) => void;
  /** The last word of a burst that has ended was heard on this slot. */
  over: (slot: number) => void;
};

type Watched = {
  group: string | null | undefined;
  burst: number;
  since: number;
  heard: boolean;
  over: boolean;
};

export class SlotWatch {
  #watched = new Map<number, Watched>();
  #expectation: Expectation = null;
  #spread = 0;
  #looking = 0;
  #awaiting = 0;
  #measuring = 0;
  #counting = 0;

  constructor(
    private readonly slots: Slots,
    private readonly owner: WatchOwner,
    private readonly random: () => number = Math.random,
  ) {}

  /** What the slots carry from now on. */
  expect(carried: readonly Carried[]): void {
    const before = this.#watched;
    this.#watched = new Map();
    const silent: number[] = [];
    for (const { slot, group, burst, over = false } of carried) {
      if (!burst) continue;
      const known = before.get(slot);
      const same = known?.burst === burst && known.group === group;
      if (over && !(same && known.heard)) silent.push(slot);
      else if (same) this.#watched.set(slot, { ...known, over });
      else this.#watched.set(slot, { group, burst, since: performance.now(), heard: false, over });
    }
    if (this.#watched.size > 0) this.#begin();
    else this.#end();
    for (const slot of silent) this.owner.over(slot);
  }

  #begin(): void {
    if (!this.#awaiting) this.#awaiting = window.setInterval(() => this.#await(), AWAIT_EVERY_MS);
    if (this.#looking) return;
    this.#spread = this.random() * STALL.spreadMs;
    this.#looking = window.setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#measuring = window.setInterval(
      () => void this.slots.measure([...this.#watched.keys()]),
      MEASURE_EVERY_MS,
    );
    this.#counting = window.setInterval(() => void this.#count(), COUNT_EVERY_MS);
    void this.#count();
  }

  #end(): void {
    clearInterval(this.#looking);
    clearInterval(this.#awaiting);
    clearInterval(this.#measuring);
    clearInterval(this.#counting);
    this.#looking = 0;
    this.#awaiting = 0;
    this.#counting = 0;
    this.#expectation = null;
    this.owner.levels({});
  }

  #await(): void {
    let awaited = false;
    for (const [slot, watched] of this.#watched) {
      if (watched.heard) continue;
      const last = this.slots.lastPlayed(slot);
      if (last === null || last < watched.since) {
        awaited = true;
        continue;
      }
      watched.heard = true;
      mark("first_voice", { slot, burst: watched.burst, at: last });
    }
    if (awaited) return;
    clearInterval(this.#awaiting);
    this.#awaiting = 0;
  }

  #look(): void {
    const levels: Record<number, number> = {};
    const over: number[] = [];
    for (const [slot, watched] of this.#watched) {
      if (!watched.heard) continue;
      levels[slot] = this.slots.level(slot);
      const last = this.slots.lastPlayed(slot);
      if (watched.over && (last === null || performance.now() - last > OVER_MS)) over.push(slot);
    }
    this.owner.levels(levels);
    for (const slot of over) this.owner.over(slot);
  }

  async #count(): Promise<void> {
    const packets = await this.slots.packets();
    if (!this.#counting) return;
    const bursts = [...this.#watched.values()].filter(({ over }) => !over).length;
    const { next, stalled } = expecting(
      this.#expectation,
      { bursts, packets },
      performance.now(),
      this.#spread,
    );
    this.#expectation = next;
    if (stalled) this.owner.stalled();
  }
}
