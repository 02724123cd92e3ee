// What is on its way from this device: kept in the browser's database until the server has it whole, so that a closed page, an
// empty battery or a tunnel loses nothing.

import { computed, signal } from "@preact/signals";
import { uuid } from "../uuid";
import { backoff } from "../wire/backoff";
import { type Ask, deliver, Never } from "./delivery";
import { digest, type Item, type Place, type Taken } from "./item";

/** Where items are kept. */
export type Shelf = {
  all(): Promise<Item[]>;
  put(item: Item): Promise<void>;
  remove(id: string): Promise<void>;
};

export type World = {
  shelf: Shelf;
  ask: Ask;
  now: () => number;
  place: () => Promise<Place | null>;
  /** Resolves after so long, or when the network is back. */
  pause: (ms: number) => Promise<void>;
  /** One page of several sends; resolves with the work. */
  alone: (work: () => Promise<void>) => Promise<void>;
};

export type Stand = "ready" | "sending" | "waiting" | "sent" | "failed";

export class Outbox {
  readonly items = signal<readonly Item[]>([]);
  /** The one that is being sent now. */
  readonly sending = signal<string | null>(null);
  /** Group → how many went since this page was opened. */
  readonly sent = signal<Readonly<Record<string, number>>>({});
  /** What the server will never take, of whichever group. */
  readonly refused = computed(() => this.items.value.filter(({ refused }) => refused !== null));
  #running: Promise<void> | null = null;

  constructor(
    readonly user: string,
    private readonly world: World,
  ) {}

  /** Take up what an earlier page left. */
  async open(): Promise<void> {
    const kept = await this.world.shelf.all();
    this.items.value = kept.filter(({ user }) => user === this.user).sort((a, b) => a.takenMs - b.takenMs);
    void this.run();
  }

  /** Keep what was taken. */
  async add(taken: Taken): Promise<void> {
    const { now, place, shelf } = this.world;
    const takenMs = now();
    const found = place();
    const bare: Item = {
      ...taken,
      id: uuid(),
      kind: taken.picture ? "photo" : "note",
      takenMs,
      place: null,
      sha256: taken.picture ? await digest(taken.picture) : "",
      refused: null,
    };
    // Where the database is closed to this page, it is at least kept while the page lives.
    const keep = (item: Item) => shelf.put(item).catch(() => undefined);
    // At once, for a page may die while the place is looked for, which takes seconds.
    await keep(bare);
    const where = await found;
    const item = { ...bare, place: where };
    if (where) await keep(item);
    this.items.value = [...this.items.value, item];
    void this.run();
  }

  /** Give up what the server refused. */
  async drop(id: string): Promise<void> {
    await this.world.shelf.remove(id);
    this.items.value = this.items.value.filter((item) => item.id !== id);
  }

  /** How a group's photos and notes stand. */
  stand(group: string): Stand {
    const mine = this.items.value.filter((item) => item.group === group);
    if (mine.some(({ refused }) => refused !== null)) return "failed";
    if (mine.some(({ id }) => id === this.sending.value)) return "sending";
    if (mine.length > 0) return "waiting";
    return this.sent.value[group] ? "sent" : "ready";
  }

  /** Send what waits, the oldest first; resolves when nothing waits. */
  run(): Promise<void> {
    this.#running ??= this.world
      .alone(() => this.#all())
      .catch(() => undefined)
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  async #all(): Promise<void> {
    let failures = 0;
    for (;;) {
      const item = this.items.value.find(({ refused }) => refused === null);
      if (!item) return;
      try {
        this.sending.value = item.id;
        await deliver(item, this.world.ask, this.world.now);
        failures = 0;
        this.sent.value = { ...this.sent.value, [item.group]: (this.sent.value[item.group] ?? 0) + 1 };
        await this.drop(item.id);
      } catch (problem) {
        if (problem instanceof Never) await this.#refused({ ...item, refused: problem.message });
        else {
          this.sending.value = null;
          await this.world.pause(backoff(failures++, Math.random()));
        }
      } finally {
        this.sending.value = null;
      }
    }
  }

  async #refused(item: Item): Promise<void> {
    await this.world.shelf.put(item);
    this.items.value = this.items.value.map((one) => (one.id === item.id ? item : one));
  }
}
