// Watches the slots while they carry bursts: when the first packet was heard, how loud it is, and whether packets come at all.

import { mark } from "../diagnostics";
import type { Slot } from "../wire/protocol";
import { type Expectation, expecting, STALL } from "./expectation";
import type { Slots } from "./slots";

const LOOK_EVERY_MS = 40;
const MEASURE_EVERY_MS = 120;
const COUNT_EVERY_MS = 250;

export type WatchOwner = {
  stalled: () => void;
  levels: (levels: Record<number, number>) => void;
};

type Awaited = { group: string | null | undefined; burst: number; since: number; heard: boolean };

export class SlotWatch {
  #awaited = new Map<number, Awaited>();
  #expectation: Expectation = null;
  #spread = 0;
  #looking = 0;
  #measuring = 0;
  #counting = 0;

  constructor(
    private readonly slots: Slots,
    private readonly owner: WatchOwner,
    private readonly random: () => number = Math.random,
  ) {}

  /** What the slots carry from now on. */
  expect(carried: readonly Slot[]): void {
    const before = this.#awaited;
    this.#awaited = new Map();
    for (const { slot, group, burst } of carried) {
      if (!burst) continue;
      const known = before.get(slot);
      const same = known?.burst === burst && known.group === group;
      this.#awaited.set(slot, same ? known : { group, burst, since: performance.now(), heard: false });
    }
    if (this.#awaited.size > 0) this.#begin();
    else this.#end();
  }

  #begin(): void {
    if (this.#looking) return;
    this.#spread = this.random() * STALL.spreadMs;
    this.#looking = window.setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#measuring = window.setInterval(
      () => void this.slots.measure([...this.#awaited.keys()]),
      MEASURE_EVERY_MS,
    );
    this.#counting = window.setInterval(() => void this.#count(), COUNT_EVERY_MS);
    void this.#count();
  }

  #end(): void {
    clearInterval(this.#looking);
    clearInterval(this.#measuring);
    clearInterval(this.#counting);
    this.#looking = 0;
    this.#counting = 0;
    this.#expectation = null;
    this.owner.levels({});
  }

  #look(): void {
    const levels: Record<number, number> = {};
    for (const [slot, awaited] of this.#awaited) {
      const heard = this.slots.heard(slot);
      if (!heard || heard.at < awaited.since) continue;
      levels[slot] = heard.level;
      if (awaited.heard) continue;
      awaited.heard = true;
      mark("first_voice", { slot, burst: awaited.burst, at: heard.at });
    }
    this.owner.levels(levels);
  }

  async #count(): Promise<void> {
    const packets = await this.slots.packets();
    if (!this.#counting) return;
    const sample = { bursts: this.#awaited.size, packets };
    const { next, stalled } = expecting(this.#expectation, sample, performance.now(), this.#spread);
    this.#expectation = next;
    if (stalled) this.owner.stalled();
  }
}
