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

/**
 * Where a press goes: where he talks, or into what he was brought into; on a console by its place on the wall, or into what was
 * chosen by hand or has a place of its own.
 */
export type Into = "here" | "brought" | "wall" | "chosen";

export class LeftGroup {
  /** What he is out of, until he has seen it. */
  readonly notice = signal<Left | null>(null);
  #groups: readonly GroupSummary[] = [];
  #here: GroupSummary | null = null;
  #call: string | null = null;
  #into: string | null = null;
  #moved: { why: Left["why"]; at: number; wall: boolean } | null = null;
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

  /** What a key talked in is over: one may be on its way down for it. `wall`: keys of a console, too. */
  over(why: Left["why"] = "call", wall = true): void {
    if (this.now() < this.#leavesUntil) return;
    this.#moved = { why, at: this.now(), wall: wall || this.#justMoved()?.wall === true };
  }

  #justMoved() {
    return this.#moved && this.now() - this.#moved.at < SETTLES_MS ? this.#moved : null;
  }

  /**
   * Whether a key may speak. The first one after a change may not: it sounds denied, and the page says where the next one goes. What
   * he was brought into is urgent: it never costs a second press. What he chose by hand is not where he has not seen.
   */
  allows(into: Into): boolean {
    if (into === "brought") return true;
    const just = this.#justMoved();
    const moved = (into === "wall" || into === "chosen") && !just?.wall ? null : just;
    this.#moved = null;
    const told = this.notice.peek();
    const notice = told ?? (moved && { why: moved.why, names: [], here: true, warned: false });
    if (into === "chosen" && !moved) return true;
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
    this.#went(message);
    this.#groups = groups;
    this.#here = groups.find(({ id }) => id === selected) ?? null;
  }

  /** What ends may have been said in the very group he talks in, or a case begin beneath a call: then his key goes where it went. */
  #went(message: ServerMessage): void {
    const brought = this.phone.brought.peek();
    const into = brought?.group ?? this.phone.picture.peek().selected;
    const ended = message.type === "call_ended" || message.type === "brought_out";
    if (into !== this.#into) {
      if (message.type === "switched") this.over("case");
      if (ended && message.call === this.#call) this.over("call", false);
    }
    this.#call = brought?.call ?? null;
    this.#into = into;
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
