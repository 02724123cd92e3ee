// One dispatcher's desk: the chosen channel, how each channel sounds, the talk keys, which panel is open. Pages draw its signals.

import { computed, effect, signal } from "@preact/signals";
import type { Point } from "../map/ring";
import type { Phone } from "../phone/phone";
import { keepDense, keepDesk, keptDense, keptDesk } from "../settings";
import type { Texts } from "../texts/texts";
import type { Where } from "../texts/threads";
import { type Request, RequestRefused } from "../wire/link";
import type { HandoverInfo, Refusal, ServerMessage } from "../wire/protocol";
import { dispatchTold, nothingDispatched } from "./dispatch";
import { firstToAnswer, type Gathering, gatheredNobody, isNobody, temporaryGroup } from "./gathering";
import { CHANNEL_CAPS } from "./keymap";
import { emptyDesk, mixOf, restored, soundOf, VOLUME_STEP, withVolume } from "./mix";
import { Monitored } from "./monitored";
import { airOf, type Channel, channelsOf, stepped, steppedRow } from "./wall";

export type Dialog = "help" | "find" | "monitor" | "handover" | "temporary" | "calls";
export const PANELS = ["people", "incidents", "map", "messages"] as const;
export type Panel = (typeof PANELS)[number];

type PatchStart = Extract<Request, { type: "patch_start" }>;

const REFUSED_MS = 5000;

/** What holds a talk key down: a pointer, or a key of the keyboard by its code. */
export type Holder = number | string;

export class ConsoleDesk {
  readonly sound = signal(emptyDesk);
  readonly chosen = signal<string | null>(null);
  readonly panel = signal<Panel>("people");
  /** The panel takes half of the page. */
  readonly wide = signal(false);
  /** Small cards: many channels in one sight. How the chosen one sounds then stands beside the own air. */
  readonly dense = signal(false);
  /** The person whose card is open, in the list and on the map. */
  readonly person = signal<string | null>(null);
  /** The next key types into the search of people. */
  readonly searching = signal(false);
  /** The people that are listed just now, in their order. */
  readonly listed = signal<readonly string[]>([]);
  /** The name of the one that is written to, for a thread in which nothing was said yet. */
  readonly personName = signal("");
  /** The thread that is open; null: the list of them. */
  readonly thread = signal<Where | null>(null);
  /** What is monitored, patched, handed over. */
  readonly dispatch = signal(nothingDispatched);
  /** The channels that are talked into together, or joined. */
  readonly marked = signal<readonly string[]>([]);
  /** The people who are called together, by id and name. */
  readonly picked = signal<ReadonlyMap<string, string>>(new Map());
  /** The area that was drawn on the map. */
  readonly ring = signal<readonly Point[] | null>(null);
  /** Who will be in the temporary group whose dialog is open. */
  readonly gathering = signal(gatheredNobody);
  readonly dialog = signal<Dialog | null>(null);
  readonly channels = computed<readonly Channel[]>(() =>
    channelsOf(
      this.phone.picture.value,
      this.phone.affairs.value,
      this.dispatch.value.monitoring?.groups ?? [],
    ),
  );
  /** The channel that keys are about: the chosen one while it is there, else where the phone is. */
  readonly current = computed<Channel | null>(() => {
    const all = this.channels.value;
    const found = (id: string | null) => all.find((one) => one.id === id);
    return found(this.chosen.value) ?? found(this.phone.picture.value.selected) ?? all[0] ?? null;
  });
  /** Those that digits stand for: what comes and goes must not move the others under a hand. */
  readonly numbered = computed<readonly Channel[]>(() =>
    this.channels.value.filter(({ kind }) => kind !== "brought"),
  );
  /** Those of the wall where somebody talks. */
  readonly onAir = computed(() => {
    const { picture, affairs, floors } = this.phone;
    return this.numbered.value
      .map((channel) => ({ channel, air: airOf(picture.value, affairs.value, floors.value, channel.id) }))
      .filter(({ air }) => air.by !== null);
  });
  readonly targets = computed<readonly Channel[]>(() =>
    this.channels.value.filter(({ id, mayTalk }) => mayTalk && this.marked.value.includes(id)),
  );
  /** Where the space bar talks: the marked channels, else a call one is in, else the chosen channel. */
  readonly spaceTalksIn = computed<readonly Channel[]>(() => {
    if (this.targets.value.length > 0) return this.targets.value;
    const call = this.channels.value.find(({ brought }) => brought?.why === "call" && brought.mayTalk);
    const one = call ?? this.current.value;
    return one ? [one] : [];
  });
  /** Why the last request was refused. */
  readonly refused = signal<Refusal | "unreachable" | null>(null);
  #forget = 0;
  #holder: Holder | null = null;
  #user: string | null = null;
  #space: { chosen: string | null; marked: readonly string[]; into: readonly Channel[] } = {
    chosen: null,
    marked: [],
    into: [],
  };

  constructor(readonly phone: Phone) {
    const monitored = new Monitored(
      (request) => phone.ask(request),
      (problem) => this.#fail(problem),
    );
    phone.follow((message) => {
      monitored.told(message);
      this.dispatch.value = dispatchTold(this.dispatch.peek(), message);
      if (message.type === "handover") this.#takeOver(message.handover);
    });
    effect(() => this.#settle());
    effect(() => this.#followSpace());
    effect(() => {
      const sound = this.sound.value;
      phone.setMix((group, tier) => mixOf(sound, group, tier));
      if (this.#user) keepDesk(this.#user, sound);
    });
  }

  get texts(): Texts {
    return this.phone.texts;
  }

  hears(group: string): boolean {
    const { selected } = this.phone.picture.value;
    return (
      group === selected ||
      this.monitors(group) ||
      this.phone.choice.listened.groups.value.includes(group) ||
      this.phone.affairs.value.brought.some((one) => one.group === group)
    );
  }

  /** Hears a channel, or no longer. */
  toggleListening(group: string): void {
    if (!this.phone.choice.listened.toggle(group)) this.#refuse("too_many");
  }

  choose(group: string): void {
    this.chosen.value = group;
  }

  step(by: number): void {
    this.chosen.value = stepped(this.channels.value, this.current.value?.id ?? null, by);
  }

  /** To the channel that many further on the wall: one row. */
  stepRow(by: number): void {
    this.chosen.value = steppedRow(this.numbered.value, this.current.value?.id ?? null, by);
  }

  /** To the next channel of the wall where somebody talks. */
  stepOnAir(): void {
    const all = this.numbered.value;
    const busy = this.onAir.value.map(({ channel }) => all.indexOf(channel));
    const at = all.findIndex(({ id }) => id === this.current.value?.id);
    const next = all[busy.find((place) => place > at) ?? busy[0] ?? -1];
    if (next) this.choose(next.id);
  }

  /** Opens the card of the next one in the list, or of the one before. */
  stepPerson(by: number): void {
    this.open("people");
    const listed = this.listed.value;
    const at = listed.indexOf(this.person.value ?? "");
    const next = at < 0 ? (by < 0 ? listed.length - 1 : 0) : (at + by + listed.length) % listed.length;
    this.person.value = listed[next] ?? null;
  }

  may(right: string): boolean {
    return this.phone.picture.value.rights.includes(right);
  }

  /** Ends the call that is talked in this channel for all (强拆), in it or not. */
  endCall(channel: Channel): void {
    const { calls } = this.phone.affairs.peek();
    const mine = Object.values(calls).find(({ group }) => group === channel.id);
    // A group that lives as long as its call has its name.
    const call = mine?.call ?? (channel.id.startsWith("ca-") ? channel.id : null);
    if (call) this.ask({ type: "call_end", call });
  }

  louder(group: string, steps: number): void {
    const { volume } = soundOf(this.sound.value, group);
    this.sound.value = withVolume(this.sound.value, group, volume + steps * VOLUME_STEP);
  }

  monitors(group: string): boolean {
    return this.dispatch.value.monitoring?.groups.some(({ id }) => id === group) ?? false;
  }

  /** Takes a channel among those that are talked into together, or out of them. */
  mark(group: string): void {
    const marked = this.marked.value;
    this.marked.value = marked.includes(group) ? marked.filter((id) => id !== group) : [...marked, group];
  }

  /** The space bar or the large key goes down. What was chosen by hand is talked in wherever others moved it on the wall. */
  talkHere(holder: Holder, at: number): void {
    const into = this.spaceTalksIn.peek();
    const byHand = this.targets.peek().length > 0 || into.some(({ id }) => id === this.chosen.peek());
    this.talk(holder, into, at, byHand);
  }

  /** A talk key goes down. One voice, one microphone: while one key is down the others do nothing. */
  talk(holder: Holder, channels: readonly Channel[], at: number, byHand = false): void {
    const talked = channels.filter(({ mayTalk }) => mayTalk);
    const able = talked.map(({ id }) => id);
    const [first, ...others] = able;
    if (first === undefined || this.#holder !== null) return;
    // Others may have moved the channels under the hand; what one was brought into has a place of its own.
    const byPlace = !byHand && talked.some(({ brought }) => brought === null);
    if (!this.phone.choice.left.allows(byPlace ? "wall" : "chosen")) return;
    this.#holder = holder;
    for (const group of able) if (!this.#affiliated(group)) this.phone.choice.listened.toggle(group);
    this.phone.key.pressIn(first, at, others);
  }

  /** The key that is down comes up; any other does nothing. */
  release(holder: Holder): void {
    if (holder !== this.#holder) return;
    this.#holder = null;
    this.phone.key.lift();
  }

  /** The page was left: no key will be told to come up. */
  drop(): void {
    if (this.#holder !== null) this.release(this.#holder);
  }

  /** A request whose refusal the page shows for a while. */
  ask(request: Request, done: (answer: ServerMessage) => void = () => undefined): void {
    this.phone.ask(request).then(
      (answer) => {
        this.refused.value = null;
        done(answer);
      },
      (problem: unknown) => this.#fail(problem),
    );
  }

  #fail(problem: unknown): void {
    this.#refuse(problem instanceof RequestRefused ? problem.code : "unreachable");
  }

  #refuse(code: Refusal | "unreachable"): void {
    this.refused.value = code;
    clearTimeout(this.#forget);
    this.#forget = window.setTimeout(() => {
      this.refused.value = null;
    }, REFUSED_MS);
  }

  /** Calls one person: at once by loudspeaker, or ringing, with a floor or both at once. */
  call(user: string, how: { answering?: "manual" | "automatic"; duplex?: boolean }): void {
    this.ask({ type: "call_start", kind: "private", users: [user], ...how });
  }

  /** Hears somebody's phone without his doing (远程激活), where the operator switched it on. */
  listenRemotely(user: string): void {
    this.ask({ type: "call_start", kind: "ambient", users: [user] });
  }

  /** Brings somebody into the group call that goes on here, or begins one with him. */
  pullIn(user: string): void {
    const { calls } = this.phone.affairs.peek();
    const running = Object.values(calls).find(({ kind }) => kind === "group");
    if (running) this.ask({ type: "call_add", call: running.call, users: [user] });
    else this.ask({ type: "call_start", kind: "group", users: [user] });
  }

  /** Brings those who are picked into a call that goes on, in it or not (强拉). */
  pullPickedInto(call: string, done: () => void): void {
    const users = [...this.picked.value.keys()];
    this.ask({ type: "call_add", call, users }, () => {
      this.picked.value = new Map();
      done();
    });
  }

  /** Takes a person among those who are called together, or out of them. */
  pick(user: string, name: string): void {
    const picked = new Map(this.picked.value);
    if (!picked.delete(user)) picked.set(user, name);
    this.picked.value = picked;
  }

  /** All that is chosen anywhere on the page. */
  chosenAll(): Gathering {
    return { groups: this.targets.value, people: this.pickedPeople(), ring: this.ring.value };
  }

  pickedPeople(): Gathering["people"] {
    return [...this.picked.value].map(([id, name]) => ({ id, name }));
  }

  /** Opens the dialog of a temporary group of these. */
  gather(of: Gathering): void {
    if (isNobody(of) || !this.phone.picture.peek().rights.includes("group_making")) return;
    this.gathering.value = of;
    this.dialog.value = "temporary";
  }

  beginTemporary(name: string, hours: number | null): void {
    const of = this.gathering.peek();
    this.ask(temporaryGroup(of, name, hours), () => {
      this.dialog.value = null;
      if (of.groups.length > 0) this.marked.value = [];
      if (of.people.length > 0) this.picked.value = new Map();
      if (of.ring) this.ring.value = null;
    });
  }

  /** Rings for all who are picked: whoever answers first has the call. */
  callFirst(): void {
    this.ask(firstToAnswer(this.pickedPeople()), () => {
      this.picked.value = new Map();
    });
  }

  write(where: Where, name = ""): void {
    this.personName.value = name;
    this.thread.value = where;
    this.open("messages");
  }

  /** Asks somebody to call back. */
  callBack(user: string): void {
    this.texts.send({ user }, { kind: "callback" }).then(
      () => this.write({ user }),
      (problem: unknown) => this.#fail(problem),
    );
  }

  /** Joins the marked channels (派接). */
  patch(name = ""): void {
    const groups = this.targets.peek().map(({ id }) => id) as PatchStart["groups"];
    if (groups.length < 2 || !this.may("patch")) return;
    this.ask({ type: "patch_start", groups, name }, () => {
      this.marked.value = [];
    });
  }

  /** By hand only: a wall that changed by itself would move the channels under a hand. */
  toggleDense(): void {
    this.dense.value = !this.dense.value;
    if (this.#user) keepDense(this.#user, this.dense.value);
  }

  open(panel: Panel): void {
    this.panel.value = panel;
  }

  /** The space bar talks elsewhere without the dispatcher's doing: what it talked in is over. */
  #followSpace(): void {
    const [before, now] = [
      this.#space,
      { chosen: this.chosen.value, marked: this.marked.value, into: this.spaceTalksIn.value },
    ];
    this.#space = now;
    if (before.chosen !== now.chosen || before.marked !== now.marked) return;
    const there = new Set(this.channels.value.map(({ id }) => id));
    const gone = before.into.some(({ id }) => !there.has(id));
    if (gone && now.into.some(({ id }) => before.into.every((one) => one.id !== id)))
      this.phone.choice.left.over();
  }

  /** Monitoring is hearing without being there: to talk one has to be. */
  #affiliated(group: string): boolean {
    return (
      this.hears(group) && (!this.monitors(group) || this.phone.choice.listened.groups.value.includes(group))
    );
  }

  /** What I took over I listen to from now on. */
  #takeOver(handover: HandoverInfo): void {
    const { user, groups } = this.phone.picture.peek();
    if (handover.state !== "accepted" || handover.to.id !== user?.id) return;
    // Where I am no member it is monitored from now on.
    const mine = handover.listens.filter(({ id }) => groups.some((group) => group.id === id));
    if (!this.phone.choice.listened.add(mine.map(({ id }) => id))) this.#refuse("too_many");
  }

  /** Takes up what this person kept on this device; one who never had a console here hears every channel. */
  #settle(): void {
    const { user, groups } = this.phone.picture.value;
    if (!user || groups.length === 0 || user.id === this.#user) return;
    const kept = keptDesk(user.id);
    this.#user = user.id;
    queueMicrotask(() => {
      this.sound.value = restored(kept);
      this.dense.value = keptDense(user.id) ?? groups.length > CHANNEL_CAPS.length;
      if (kept !== null) return;
      this.phone.choice.listened.add(groups.map(({ id }) => id));
    });
  }
}
