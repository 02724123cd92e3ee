// The group a person talks in, those he hears beside it, and what becomes of both when others change them.

import type { ReadonlySignal } from "@preact/signals";
import { keepLastGroup, lastGroup } from "../settings";
import type { Brought } from "../wire/affairs";
import type { Request } from "../wire/link";
import type { Picture } from "../wire/picture";
import type { ServerMessage } from "../wire/protocol";
import { LeftGroup } from "./leftGroup";
import { Listened } from "./listened";

type Owner = {
  picture: ReadonlySignal<Picture>;
  brought: ReadonlySignal<Brought | null>;
  follow(listener: (message: ServerMessage) => void): void;
  ask(request: Request): Promise<ServerMessage>;
  tone(name: "denied" | "incoming"): void;
  /** Where the talk key speaks, or would. */
  keyIn(): string | null;
  /** The talk key comes up. */
  lift(): void;
};

export class Choice {
  readonly listened: Listened;
  readonly left: LeftGroup;

  constructor(private readonly owner: Owner) {
    const { picture, brought } = owner;
    this.listened = new Listened(picture, (groups) => {
      owner.ask({ type: "listen", groups }).catch(() => undefined);
    });
    const follow: Owner["follow"] = (listener) => owner.follow(listener);
    const tone: Owner["tone"] = (name) => owner.tone(name);
    const move = (group: string) => this.move(group);
    this.left = new LeftGroup({ picture, brought, follow, tone, move }, lastGroup);
  }

  /** The person talks there from now on because he wants to. */
  select(group: string): void {
    this.left.seen();
    this.owner.lift();
    this.#ask(group);
  }

  /** The person talks there from now on because others changed his groups: what he says in a call or an emergency goes on. */
  move(group: string): void {
    if (this.owner.brought.peek()?.group !== this.owner.keyIn()) this.owner.lift();
    this.#ask(group);
  }

  #ask(group: string): void {
    this.owner.ask({ type: "select", group }).catch(() => this.listened.follow());
    keepLastGroup(group);
    this.listened.tell(group);
  }
}
