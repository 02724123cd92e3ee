// One who is out of the group he talked in goes on in another, and is told so.

import { type ReadonlySignal, signal } from "@preact/signals";
import { firstGroup, type Picture } from "../wire/picture";
import type { ServerMessage } from "../wire/protocol";

type Member = {
  picture: ReadonlySignal<Picture>;
  follow(listener: (message: ServerMessage) => void): void;
  select(group: string): void;
};

export class LeftGroup {
  /** Which it was, until he has seen it. */
  readonly name = signal<string | null>(null);
  #here = "";

  /** `wanted`: the group this person chose last, which the server may not know yet. */
  constructor(phone: Member, wanted: () => string | null) {
    phone.follow((message) => {
      const { groups, selected } = phone.picture.peek();
      if (message.type === "groups" && !selected) {
        this.name.value = this.#here || null;
        const next = firstGroup(groups, wanted());
        if (next) phone.select(next.id);
      }
      this.#here = groups.find(({ id }) => id === selected)?.name ?? "";
    });
  }
}
