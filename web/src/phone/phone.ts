// One phone: joins link, media path, sound and floor. Pages draw its signals and pass on what fingers do; no page talks to a
// socket or a microphone by itself.

import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { mark } from "../diagnostics";
import type { Receipts } from "../emergency/receipts";
import { start } from "../floor/model";
import { Floors } from "../floor/several";
import { HeldIncidents } from "../incidents/held";
import type { ToneName } from "../media/melodies";
import type { MicrophoneState } from "../media/microphone";
import type { PathState } from "../media/path";
import { deviceId, lastGroup } from "../settings";
import { Texts } from "../texts/texts";
import { affairsTold, broughtToTalk, nothingGoesOn, openAlerts } from "../wire/affairs";
import { Link, type LinkState, type Request } from "../wire/link";
import { blank, fellSilent, firstGroup, heardIn, idleFloor, told, welcomed } from "../wire/picture";
import type { Broadcast, IceServer, Missed, Refusal, ServerMessage, Welcome } from "../wire/protocol";
import { Air, type MixOf } from "./air";
import { Choice } from "./choice";
import { type Facts, face, obstacle } from "./face";
import { Hearing } from "./hearing";
import { LOOK_EVERY_MS } from "./listening";
import { Mending } from "./mending";
import { cutOff, isListenedTo, lineIsOpen, OpenLine } from "./openline";
import { Pressing } from "./pressing";
import { receiptsOf } from "./receiving";
import { watch } from "./surroundings";

const TICK_MS = 100;
/** Requests by which a person ends what he talks in. */
const ENDS: ReadonlySet<Request["type"]> = new Set([
  "call_leave",
  "call_end",
  "emergency_cancel",
  "sos_cancel",
  "alert_resolve",
  "broadcast_end",
]);

export type PhoneSettings = {
  language: "zh-CN" | "en";
  slots: number;
  token: (renew: boolean) => Promise<string | null>;
  /** Each group gets a fader and a side of its own, as `setMix` says: for consoles. */
  mixes?: boolean;
};

export type { MixOf };

export class Phone {
  readonly picture = signal(blank);
  readonly linkState = signal<LinkState>("closed");
  readonly pathState: ReadonlySignal<PathState>;
  readonly online = signal(navigator.onLine);
  readonly soundLocked: ReadonlySignal<boolean>;
  readonly microphoneState: ReadonlySignal<MicrophoneState>;
  /** The browser will ask whether the page may use the microphone. */
  readonly askFirst: ReadonlySignal<boolean>;
  readonly waved = signal(false);
  readonly dismissed = signal<Refusal | null>(null);
  readonly cases = new HeldIncidents(this);
  readonly incidents = this.cases.list;
  /** The newest absence in which something was said. */
  readonly missed = signal<Missed | null>(null);
  readonly affairs = signal(nothingGoesOn);
  /** An SOS goes out of which this phone must give no sign. */
  readonly covert = signal(false);
  readonly now = signal(performance.now());
  readonly level: Air["level"];
  readonly levels: Air["levels"];

  readonly #air: Air;
  readonly #hearing = new Hearing(
    {
      soundLocked: () => this.soundLocked.value || !this.#air.sound.running,
      microphoneLost: () => this.microphoneState.value === "lost",
      media: () => this.#air.carries,
      played: () => this.#air.sound.context.currentTime,
    },
    (listening) => this.#link.send(listening),
  );
  readonly #link: Link;
  readonly #mending: Mending;
  readonly #floor: Floors;
  readonly key: Pressing;
  readonly receipts: Receipts;
  readonly texts: Texts;
  readonly choice: Choice;
  readonly #alone: ReadonlySignal<boolean>;
  readonly #followers: ((message: ServerMessage) => void)[] = [];
  #iceServers: readonly IceServer[] = [];
  #traced = "";

  constructor(settings: PhoneSettings) {
    this.#air = new Air(
      {
        pathChanged: (state) => this.#pathChanged(state),
        soundChanged: () => this.#hearing.report(),
        stalled: () => this.restartMedia("no_packets"),
        over: (slot) => {
          this.picture.value = fellSilent(this.picture.peek(), slot);
        },
        microphone: (state) => this.key.microphone(state),
      },
      computed(() => this.picture.value.slots),
      settings.mixes ?? false,
    );
    const { pathState, soundLocked, microphoneState, level, levels, warmth } = this.#air;
    [this.pathState, this.soundLocked, this.microphoneState] = [pathState, soundLocked, microphoneState];
    [this.level, this.levels, this.askFirst] = [level, levels, warmth.askFirst];
    this.#link = new Link(
      {
        token: settings.token,
        welcomed: (welcome) => this.#welcomed(welcome),
        received: (message) => this.#received(message),
        beat: () => this.#hearing.listening(),
        changed: (state) => {
          this.linkState.value = state;
          this.#tellFloor();
        },
        dismissed: (code) => {
          this.dismissed.value = code;
        },
      },
      { ...settings, device: deviceId(), group: lastGroup },
    );
    this.#mending = new Mending(this.#link, () => this.linkState.value === "up");
    this.#floor = new Floors({
      urge: (message) => this.#link.urge(message),
      voice: this.#air.voice,
      tone: (tone) => this.tone(tone),
      muteSlots: (muted) => this.#air.slots.mute(muted),
    });
    this.key = new Pressing(this.#floor, {
      blocked: () => this.obstacle.value !== null,
      unseen: () => !this.choice.left.allows(this.brought.peek() ? "brought" : "here"),
      covert: this.covert,
    });
    this.receipts = receiptsOf(this, this.#hearing, this.#air.slots);
    this.texts = new Texts(this);
    this.choice = new Choice({
      picture: this.picture,
      brought: this.brought,
      follow: (listener) => this.follow(listener),
      ask: (request) => this.ask(request),
      tone: (tone) => this.tone(tone),
      keyIn: () => this.floorState.peek().group,
      lift: () => this.key.lift(),
    });
    const leftCase = computed(() => this.incidents.value.left?.code ?? null);
    effect(() => this.choice.left.ofCase(leftCase.value !== null));
    const line = new OpenLine(this.#floor.port());
    this.#alone = cutOff(this.linkState);
    // Whoever was signed out of here is not told any more that a call is over.
    effect(() =>
      line.set(
        !this.dismissed.value &&
          lineIsOpen(this.affairs.value, this.picture.value.user?.id, this.#alone.value),
      ),
    );
    effect(() => this.#trace());
    effect(() => {
      if (this.floorState.value.phase.name === "has_no_permission") this.#followBrought();
    });
    effect(() => {
      if (this.floorState.value.notice?.kind === "no_answer") this.#link.probe();
    });
  }

  readonly floorState = computed(() => this.#floor.state.value);
  /** Every floor this phone asks for or has: more than one while it talks into several groups. */
  readonly floors = computed(() => this.#floor.all.value);
  /** What a press goes into: what one was brought into before what one selected. */
  readonly brought = computed(() => broughtToTalk(this.affairs.value));
  /** Somebody listens to this phone remotely, as far as it can know. */
  readonly listenedTo = computed(() => isListenedTo(this.affairs.value, this.#alone.value));
  readonly alerts = computed(() => openAlerts(this.affairs.value));
  readonly group = computed(() => {
    const { groups, selected } = this.picture.value;
    return groups.find(({ id }) => id === selected) ?? null;
  });
  /** The group a press goes into. */
  readonly talksIn = computed(() => this.brought.value?.group ?? this.picture.value.selected);
  readonly facts = computed<Facts>(() => ({
    dismissed: this.dismissed.value,
    secure: isSecureContext,
    online: this.online.value,
    link: this.linkState.value,
    path: this.pathState.value,
    soundLocked: this.soundLocked.value,
    microphone: this.microphoneState.value,
    waved: this.waved.value,
    askFirst: this.askFirst.value,
    me: this.picture.value.user?.id ?? null,
    waits: this.key.waits.value && !this.covert.value,
    mayTalk: this.brought.value !== null || (this.group.value?.may_talk ?? false),
    // A microphone that is open in secret is not shown.
    participant: this.covert.value ? { ...start, group: this.floorState.value.group } : this.floorState.value,
    floor: this.picture.value.floors[this.talksIn.value ?? ""] ?? idleFloor,
    heard: heardIn(this.picture.value, this.talksIn.value),
  }));
  readonly obstacle = computed(() => obstacle(this.facts.value));
  readonly face = computed(() => face(this.facts.value, this.now.value));

  /** Begins. Returns what ends it. */
  start(): () => void {
    const stopWatching = watch({
      online: () => {
        this.online.value = true;
        this.#link.hurry();
        this.restartMedia("online");
      },
      offline: () => {
        this.online.value = false;
        this.#link.lost();
      },
      networkChanged: () => this.restartMedia("network_change"),
      hidden: () => this.#hidden(),
      shown: () => this.#shown(),
      frozen: () => this.#hearing.frozen(),
      blurred: () => this.key.lost(),
      touched: () => this.touched(),
    });
    const clock = window.setInterval(() => this.#tick(), TICK_MS);
    const looking = window.setInterval(() => this.#hearing.look(), LOOK_EVERY_MS);
    const stopAir = this.#air.start(() => this.floorState.peek().microphone.name === "on");
    this.#link.open();
    return () => {
      stopWatching();
      clearInterval(clock);
      clearInterval(looking);
      this.#link.close();
      stopAir();
    };
  }

  /** Any touch: the moment in which a browser lets sound and microphone begin. */
  touched(): void {
    this.#air.touched();
  }

  /** A sound of this page, on this phone alone. */
  tone(name: ToneName): void {
    if (!this.covert.peek()) this.#air.sound.tone(name);
  }

  /** A request that is no matter of the floor: calls, alerts, broadcasts. Rejects as `Link.request` does. */
  ask(request: Request): Promise<ServerMessage> {
    if (ENDS.has(request.type)) this.choice.left.leaves();
    return this.#link.request(request);
  }

  /** How far a broadcast came with this person, as far as this page knows before the server says so. */
  marked(id: string, receipt: NonNullable<Broadcast["receipt"]>): void {
    const { broadcasts } = this.affairs.peek();
    const one = broadcasts[id];
    if (!one) return;
    this.affairs.value = { ...this.affairs.peek(), broadcasts: { ...broadcasts, [id]: { ...one, receipt } } };
  }

  /** Calls `listener` with every message of the server from now on, after the phone itself has taken it. */
  follow(listener: (message: ServerMessage) => void): void {
    this.#followers.push(listener);
  }

  /** How groups sound from now on, whatever slot carries them. */
  setMix(mix: MixOf): void {
    this.#air.setMix(mix);
    this.#applyMix();
  }

  /** Goes on without a microphone. */
  wave(): void {
    this.waved.value = true;
  }

  async askForMicrophone(): Promise<void> {
    this.touched();
    await this.#air.voice.prepare();
  }

  /** Asks the server to move the media path, for this reason. */
  restartMedia(reason: string): void {
    this.#mending.restart(reason);
  }

  #welcomed(welcome: Welcome): void {
    const was = this.picture.peek().selected;
    batch(() => {
      // Calls and alerts that still go on are told again after each welcome.
      this.affairs.value = nothingGoesOn;
      this.picture.value = welcomed(this.picture.value, welcome);
      this.choice.listened.welcomed(welcome.user.id);
    });
    this.#iceServers = welcome.ice_servers;
    if (welcome.offer) void this.#offered(welcome.offer);
    else this.restartMedia("socket_lost");
    const group = firstGroup(welcome.groups, welcome.selected ?? lastGroup());
    if (group) this.#link.request({ type: "select", group: group.id }).catch(() => undefined);
    this.choice.listened.tell(group?.id);
    this.#tellFloor();
    for (const follower of this.#followers) follower(welcome);
    this.cases.welcomed(was, group?.id ?? "");
  }

  async #offered(offer: string): Promise<void> {
    try {
      const sdp = await this.#air.path.accept(offer, this.#iceServers);
      await this.#link.request({ type: "answer", sdp });
    } catch (problem) {
      mark("answer_failed", { problem: String(problem) });
    }
  }

  #received(message: ServerMessage): void {
    const before = this.picture.value;
    batch(() => {
      this.picture.value = told(before, message);
      this.affairs.value = affairsTold(this.affairs.peek(), message);
      this.receipts.received(message);
      this.cases.told(message);
    });
    this.choice.listened.follow(before);
    this.#followBrought();
    if (message.type === "switched") {
      mark("switched", { group: message.group.id });
      this.tone("incoming");
    }
    if (message.type === "missed") this.missed.value = message;
    if (message.type === "offer") void this.#offered(message.sdp);
    if (message.type === "slot") mark("slot", { ...message });
    if (message.type === "slot" || message.type === "emergency_state") this.#applyMix();
    if (message.type === "slot" && message.burst && message.group === this.picture.value.selected) {
      if (!this.floorState.value.held) this.tone("incoming");
    }
    this.#floor.received(message, this.talksIn.peek());
    for (const follower of this.#followers) follower(message);
  }

  /** The floor is asked for where the server brought this phone, until that is over; never while the key is down. */
  #followBrought(): void {
    const group = this.talksIn.peek();
    const { group: now, held, phase } = this.floorState.peek();
    if (group === now || held || phase.name !== "has_no_permission") return;
    this.#floor.feed({ type: "group", group, yours: "none" });
  }

  #applyMix(): void {
    const { conditions } = this.affairs.peek();
    this.#air.applyMix(this.picture.peek().slots, (group) => conditions[group]?.tier ?? 0);
  }

  #pathChanged(state: PathState): void {
    this.#mending.pathChanged(state);
    this.#tellFloor();
    this.#hearing.report();
  }

  #tellFloor(): void {
    const up = this.linkState.value === "up" && this.online.value;
    this.#floor.feed({ type: "link", state: !up ? "down" : this.#air.carries ? "up" : "no_media_path" });
  }

  #hidden(): void {
    this.key.lost();
    this.#air.warmth.hidden();
    this.#hearing.hidden();
  }

  #shown(): void {
    this.#air.warmth.shown();
    this.#link.probe();
    this.#hearing.shown();
  }

  /** Moves what moves with time; an idle page stands still and costs nothing. */
  #tick(): void {
    const { phase, notice, microphone } = this.floorState.peek();
    if (phase.name === "has_permission" || notice) this.now.value = performance.now();
    this.#air.measure(microphone.name === "on" && !this.covert.peek());
  }

  #trace(): void {
    const state = this.obstacle.value?.name ?? this.face.value.name;
    if (state !== this.#traced) mark("face", { state });
    this.#traced = state;
  }
}
