// The groups one hears beside the selected one: chosen by the person, kept on this device, told to the server.

import { type ReadonlySignal, signal } from "@preact/signals";
import { MAX_GROUPS_LISTENED } from "../generated/limits.json";
import { keepListenedGroups, listenedGroups } from "../settings";
import type { Picture } from "../wire/picture";

export class Listened {
  readonly groups = signal<readonly string[]>([]);
  #told = "";

  constructor(
    private readonly picture: ReadonlySignal<Picture>,
    private readonly listen: (groups: string[]) => void,
  ) {}

  /** Takes up what this person chose before on this device. */
  welcomed(user: string): void {
    this.groups.value = this.#fitting(listenedGroups(user));
  }

  /** Hears a group, or no longer; false when as many are heard as may be. */
  toggle(group: string): boolean {
    const before = this.groups.value;
    const off = before.includes(group);
    return this.#choose(off ? before.filter((id) => id !== group) : [...before, group]);
  }

  /** Hears these, too; false when not all of them can be. */
  add(groups: readonly string[]): boolean {
    return this.#choose([...new Set([...this.groups.value, ...groups])]);
  }

  /** Tells the server, which forgets the groups one is out of. `selected`: the one that is about to be selected. */
  tell(selected = this.picture.value.selected): void {
    const chosen = this.groups.value;
    const fitting = this.#fitting(chosen, selected);
    if (fitting.length < chosen.length) this.groups.value = fitting;
    const beside = this.#beside(fitting, selected);
    this.#told = beside.join();
    this.listen(beside);
  }

  /** His groups, or which is selected, may be others now: what is heard beside it is told again where it differs. */
  follow(before?: Picture): void {
    const { groups, selected } = this.picture.value;
    if (before?.groups === groups && before.selected === selected) return;
    if (this.#beside(this.groups.value).join() !== this.#told) this.tell();
  }

  #choose(wanted: string[]): boolean {
    const user = this.picture.value.user?.id;
    if (!user) return true;
    this.groups.value = this.#fitting(wanted);
    keepListenedGroups(user, [...this.groups.value]);
    this.tell();
    return this.groups.value.length === wanted.length;
  }

  /** Without those that would be one too many, the first ones stay. */
  #fitting(wanted: readonly string[], selected = this.picture.value.selected): string[] {
    // A longer list the server refuses whole.
    const beyond = new Set(this.#beside(wanted, selected).slice(MAX_GROUPS_LISTENED));
    return wanted.filter((id) => !beyond.has(id));
  }

  #beside(wanted: readonly string[], selected = this.picture.value.selected): string[] {
    const { groups } = this.picture.value;
    return wanted.filter((id) => id !== selected && groups.some((g) => g.id === id));
  }
}
