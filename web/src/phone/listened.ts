// The groups one hears beside the selected one: chosen by the person, kept on this device, told to the server.

import { type ReadonlySignal, signal } from "@preact/signals";
import { keepListenedGroups, listenedGroups } from "../settings";
import type { Picture } from "../wire/picture";

export class Listened {
  readonly groups = signal<readonly string[]>([]);

  constructor(
    private readonly picture: ReadonlySignal<Picture>,
    private readonly listen: (groups: string[]) => void,
  ) {}

  /** Takes up what this person chose before on this device. */
  welcomed(user: string): void {
    this.groups.value = listenedGroups(user);
  }

  /** Hears a group, or no longer. */
  toggle(group: string): void {
    const user = this.picture.value.user?.id;
    if (!user) return;
    const before = this.groups.value;
    this.groups.value = before.includes(group) ? before.filter((id) => id !== group) : [...before, group];
    keepListenedGroups(user, [...this.groups.value]);
    this.tell();
  }

  tell(): void {
    const { groups, selected } = this.picture.value;
    this.listen(this.groups.value.filter((id) => id !== selected && groups.some((g) => g.id === id)));
  }
}
