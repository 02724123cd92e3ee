// One who is out of what he talked in goes on in another group: he is told so, and no key speaks there before he can know.

import { type ReadonlySignal, signal } from "@preact/signals";
import type { Brought } from "../wire/affairs";
import { firstGroup, type Picture } from "../wire/picture";
import type { GroupSummary, ServerMessage } from "../wire/protocol";

/** For so long after a call is over, or a case has begun, a key may have been on its way down for what was before. */
export const SETTLES_MS = 800;

/**
 * `here`: he talked there, and not only heard it. `warned`: a key went down and did not speak, the next one does. Of a case that is
 * over the page says why by itself.
 */
export type Left = {
  why: "group" | "case" | "call";
  names: readonly string[];
  here: boolean;
  warned: boolean;
};

type Member = {
  picture: ReadonlySignal<Picture>;
  brought: ReadonlySignal<Brought | null>;
  follow(listener: (message: ServerMessage) => void): void;
  move(group: string): void;
  tone(name: "denied" | "incoming"): void;
};

/** What one leaves by one's own hand ends within this time. */
const LEAVES_MS = 2_000;

/** Where a press goes that does not name its group: where he talks, by its place on a wall, or into what he was brought into. */
export type Into = "here" | "wall" | "brought";

export class LeftGroup {
  /** What he is out of, until he has seen it. */
  readonly notice = signal<Left | null>(null);
  #groups: readonly GroupSummary[] = [];
  #here: GroupSummary | null = null;
  #call: string | null = null;
  #moved: { why: Left["why"]; at: number } | null = null;
  #leavesUntil = 0;

  /** `wanted`: the group this person chose last, which the server may not know yet. */
  constructor(
    private readonly phone: Member,
    private readonly wanted: () => string | null,
    private readonly now: () => number = () => performance.now(),
  ) {
    phone.follow((message) => this.#told(message));
  }

  /** He has seen it, or chose a group himself. */
  seen(): void {
    this.notice.value = null;
    this.#moved = null;
  }

  /** The group of a case in which he talked was taken away; false: he has seen that. */
  ofCase(left: boolean): void {
    if (left) this.notice.value = { why: "case", names: [], here: true, warned: false };
    else if (this.notice.peek()?.why === "case") this.notice.value = null;
  }

  /** He ends himself what he talks in: the next key is not meant for it. */
  leaves(): void {
    this.#leavesUntil = this.now() + LEAVES_MS;
  }

  /** What a key talked in is over: one may be on its way down for it. */
  over(why: Left["why"] = "call"): void {
    if (this.now() >= this.#leavesUntil) this.#moved = { why, at: this.now() };
  }

  /**
   * Whether a key may speak. The first one after a change may not: it sounds denied, and the page says where the next one goes. What
   * he was brought into is more urgent than what he should have seen long ago.
   */
  allows(into: Into): boolean {
    const moved = this.#moved && this.now() - this.#moved.at < SETTLES_MS ? this.#moved : null;
    this.#moved = null;
    const told = this.notice.peek();
    const notice = told ?? (moved && { why: moved.why, names: [], here: true, warned: false });
    if (into === "brought" && !moved) return true;
    const unseen = notice !== null && !notice.warned && (notice.here || into === "wall");
    this.notice.value = unseen ? { ...notice, warned: true } : null;
    if (unseen) this.phone.tone("denied");
    return !unseen;
  }

  #told(message: ServerMessage): void {
    const { groups, selected } = this.phone.picture.peek();
    if (message.type === "groups") {
      this.#out(groups, selected === null);
      const next = selected ? undefined : firstGroup(groups, this.wanted());
      if (next) this.phone.move(next.id);
    }
    // While there was no connection; where it goes on then the phone says itself.
    if (message.type === "welcome") this.#out(groups, !groups.some(({ id }) => id === this.#here?.id));
    if (message.type === "switched") this.over("case");
    const ended = message.type === "call_ended" || message.type === "brought_out";
    if (ended && message.call === this.#call) this.over();
    this.#call = this.phone.brought.peek()?.call ?? null;
    this.#groups = groups;
    this.#here = groups.find(({ id }) => id === selected) ?? null;
  }

  /** Cases come and go, and have words of their own. */
  #out(groups: readonly GroupSummary[], moved: boolean): void {
    const lost = this.#groups.filter(
      ({ id, kind }) => kind !== "incident" && !groups.some((one) => one.id === id),
    );
    const here = moved && this.#here?.kind !== "incident" ? this.#here : null;
    const names = [...new Set([...lost, ...(here ? [here] : [])].map(({ name }) => name))];
    if (names.length === 0) return;
    const before = this.notice.peek();
    const told = before?.why === "group" ? before : null;
    this.notice.value = {
      why: "group",
      names: [...new Set([...(told?.names ?? []), ...names])],
      here: here !== null || (told?.here ?? false),
      warned: false,
    };
    if (here) this.phone.tone("incoming");
  }
}
