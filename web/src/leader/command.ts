// What a leader does: a call by one hold, a broadcast by voice, recording or text, a plan by one tap. Pages draw its signals.

import { computed, effect, signal } from "@preact/signals";
import { Problem } from "../account/api";
import { refusalWords, t } from "../i18n";
import type { Cell } from "../map/places";
import { PlaceNews } from "../map/told";
import type { Phone } from "../phone/phone";
import { uuid } from "../uuid";
import type { Request } from "../wire/link";
import { RequestRefused } from "../wire/link";
import type { BroadcastInfo, Person, Recipients, Refusal, ServerMessage, Tier } from "../wire/protocol";
import * as api from "./api";
import { type Chosen, nobody, type Place, recipients, within } from "./targets";

const PLACES_EVERY_MS = 15_000;
const DAY_S = 86_400;
/** So long what had no answer may have begun all the same; shorter than a live broadcast waits for its first word. */
const BEGUN_MS = 10_000;

/** What begins something, under a name of this page's own. */
type Beginning = Extract<Request, { type: "emergency_call" | "broadcast_start" | "plan_run" }>;

export type How = { urgent: boolean; exercise: boolean; acknowledge: boolean };

export class Command {
  readonly chosen = signal<Chosen>(nobody);
  readonly places = signal<readonly Place[]>([]);
  readonly cells = signal<readonly Cell[]>([]);
  readonly plans = signal<readonly api.Plan[]>([]);
  readonly broadcasts = signal<readonly BroadcastInfo[]>([]);
  /** What came of the last thing that was done. */
  readonly word = signal("");
  /** A message is under way: another press is the same press. */
  readonly sending = signal(false);
  /** An emergency call was refused where an ordinary one is possible: to whom, as long as they are those who are chosen. */
  readonly ordinary = computed(() => {
    const to = this.#refused.value;
    return to && JSON.stringify(to) === JSON.stringify(this.to()) ? to : null;
  });
  readonly #refused = signal<Recipients | null>(null);
  /** Everybody who was listed here, by id. */
  readonly #known = new Map<string, Person>();
  #holding = 0;
  /** What had no answer, and until when it may have begun without this page knowing. */
  #unanswered: { asked: Beginning; until: number } | null = null;

  constructor(readonly phone: Phone) {}

  /** Begins to look. Returns what ends it. */
  start(): () => void {
    const news = new PlaceNews();
    const look = () => void api.places(news).then((found) => (this.places.value = found), ignore);
    look();
    const timer = window.setInterval(look, PLACES_EVERY_MS);
    void api.cells().then((found) => (this.cells.value = found), ignore);
    this.loadPlans();
    const stop = effect(() => {
      const known = new Set(this.broadcasts.peek().map(({ id }) => id));
      const { tallies } = this.phone.affairs.value;
      if (Object.keys(tallies).some((id) => !known.has(id))) this.#loadBroadcasts();
    });
    this.#loadBroadcasts();
    return () => {
      clearInterval(timer);
      stop();
    };
  }

  /** Those picked, as the wire wants them. */
  to(): Recipients {
    return recipients(this.chosen.value);
  }

  /** Those who were found, and before them those who are chosen and were not: they stay in sight whatever is searched for. */
  shown(found: readonly Person[]): Person[] {
    for (const one of found) this.#known.set(one.id, one);
    const here = new Set(found.map(({ id }) => id));
    const { users } = this.chosen.value;
    const chosen = [...this.#known.values()].filter(({ id }) => users.has(id) && !here.has(id));
    return [...chosen, ...found];
  }

  inArea(): Place[] {
    return within(this.places.value, this.chosen.value.ring);
  }

  loadPlans(): void {
    void api.plans.list().then((found) => (this.plans.value = found), ignore);
  }

  // --- one hold ---

  /** Key down: a two-way emergency call, and this leader's voice in it while the key is held. */
  async holdCall(tier: Tier): Promise<void> {
    const at = performance.now();
    const to = this.to();
    this.#refused.value = null;
    const held = ++this.#holding;
    const answer = await this.#begin({ type: "emergency_call", call: `ec-${uuid()}`, to, tier }, to);
    if (answer?.type !== "emergency_call_started") return;
    this.word.value = started(answer);
    this.#press(answer.group.id, held, at);
  }

  /** Key down: only this leader talks; letting go ends the broadcast. */
  async holdBroadcast(how: How, text = ""): Promise<void> {
    const at = performance.now();
    const held = ++this.#holding;
    const answer = await this.#begin(this.#start(`br-${uuid()}`, "live", how, text));
    if (answer?.type !== "broadcast_started" || !answer.group) return;
    this.word.value = started(answer);
    if (!this.#press(answer.group.id, held, at)) {
      // Let go before it began: nothing was said and nothing will be.
      void this.#ask({ type: "broadcast_end", broadcast: answer.broadcast, withdraw: true });
    }
  }

  /** Key up. */
  letGo(): void {
    this.#holding += 1;
    this.phone.key.lift();
  }

  /** `at`: when the key went down, before anything was asked. */
  #press(group: string, held: number, at: number): boolean {
    if (held !== this.#holding) return false;
    this.phone.key.pressIn(group, at);
    return true;
  }

  // --- what needs no voice now ---

  send(kind: "text" | "roll_call", text: string, how: How): Promise<boolean> {
    const request = this.#start(`br-${uuid()}`, kind, how, text);
    return this.#once(() => this.#begin(request));
  }

  sendRecorded(wav: Blob, text: string, how: How): Promise<boolean> {
    // To those who are chosen now: the upload takes its time.
    const request = this.#start(`br-${uuid()}`, "recorded", how, text);
    return this.#once(async () => {
      this.word.value = t("leader_uploading");
      const message = await this.keep(wav);
      return message ? this.#begin({ ...request, message }) : null;
    });
  }

  async #once(begin: () => Promise<ServerMessage | null>): Promise<boolean> {
    if (this.sending.peek()) return false;
    this.sending.value = true;
    const answer = await begin();
    this.sending.value = false;
    if (answer) this.word.value = t("leader_sent");
    return answer !== null;
  }

  /** Keeps a recorded message on the server; null when that failed, and why is told. */
  async keep(wav: Blob): Promise<string | null> {
    try {
      return await api.keepMessage(wav);
    } catch (problem) {
      this.failed(problem);
      return null;
    }
  }

  /** One tap. */
  async run(plan: api.Plan): Promise<void> {
    const answer = await this.#begin(
      { type: "plan_run", plan: plan.id, call: `pl-${uuid()}` },
      null,
      plan.starts,
    );
    if (!answer) return;
    const speaks =
      answer.type === "emergency_call_started" || (answer.type === "broadcast_started" && answer.group);
    this.word.value = speaks ? t("plan_hold") : t("leader_sent");
  }

  async endCall(group: string): Promise<void> {
    if (await this.#ask({ type: "emergency_cancel", group })) this.word.value = "";
  }

  async retier(call: string, tier: Tier): Promise<void> {
    await this.#ask({ type: "emergency_call", call, to: {}, tier });
  }

  async endBroadcast(broadcast: string, withdraw: boolean): Promise<void> {
    await this.#ask({ type: "broadcast_end", broadcast, withdraw });
  }

  /** Instead of the emergency call that was refused. */
  async callOrdinarily(to: Recipients): Promise<void> {
    this.#refused.value = null;
    const [group] = to.groups ?? [];
    if (group && !to.users?.length) return this.phone.choice.select(group);
    const users = to.users ?? [];
    const kind = users.length === 1 ? "private" : "group";
    await this.#ask({ type: "call_start", users, kind });
  }

  failed(problem: unknown): void {
    const known = problem instanceof RequestRefused || problem instanceof Problem;
    this.word.value = known ? refusalWords(problem.code as Refusal) : t("unreachable");
  }

  #start(broadcast: string, kind: "live" | "text" | "roll_call" | "recorded", how: How, text: string) {
    return {
      type: "broadcast_start" as const,
      broadcast,
      to: this.to(),
      kind,
      text,
      tier: (how.urgent ? 2 : 0) as Tier,
      exercise: how.exercise,
      acknowledge: how.acknowledge || kind === "roll_call",
      expires_s: DAY_S,
    };
  }

  /**
   * The same as what had no answer a moment ago is asked for under the name it had: it may have begun, and shall begin once.
   * `starts`: where the server cannot read its plans, what this page has read of one begins; both are judged alike, and once.
   */
  #begin(
    wanted: Beginning,
    to: Recipients | null = null,
    starts: api.Starts | null = null,
  ): Promise<ServerMessage | null> {
    const before = this.#unanswered;
    const again = before && performance.now() < before.until && nameless(before.asked) === nameless(wanted);
    const asked = again ? before.asked : wanted;
    this.#unanswered = null;
    const unheard = () => {
      this.#unanswered = { asked, until: performance.now() + BEGUN_MS };
    };
    const instead = starts && "call" in asked ? begins(starts, asked.call) : null;
    return this.#ask(asked, to, instead, unheard);
  }

  /** `instead`: what is asked where this is refused for want of SQL; `unheard`: told when nobody knows whether it was done. */
  async #ask(
    request: Request,
    to: Recipients | null = null,
    instead: Request | null = null,
    unheard: () => void = ignore,
  ): Promise<ServerMessage | null> {
    try {
      return await this.phone.ask(request);
    } catch (problem) {
      const unavailable = problem instanceof RequestRefused && problem.code === "unavailable";
      if (instead && unavailable) return this.#ask(instead, null, null, unheard);
      if (unavailable || !(problem instanceof RequestRefused)) unheard();
      this.failed(problem);
      if (to && problem instanceof RequestRefused && problem.code === "ordinary_only")
        this.#refused.value = to;
      return null;
    }
  }

  #loadBroadcasts(): void {
    void api.broadcasts().then((found) => (this.broadcasts.value = found), ignore);
  }
}

/** Whom it reaches, and whether anything keeps it: it is on the air in any case. */
function started({ online, people, kept }: { online: number; people: number; kept?: boolean }): string {
  const words = t("leader_started", { online, people });
  return kept === false ? `${words} ${t("not_kept_yet")}` : words;
}

/** What a plan starts, as if it had been put together by hand. */
function begins(starts: api.Starts, id: string): Request {
  if (starts.what === "call") {
    const { to, tier, name } = starts;
    return { type: "emergency_call", call: id, to, tier, name };
  }
  const { what: _, ...rest } = starts;
  return { type: "broadcast_start", broadcast: id, ...rest };
}

function nameless(asked: Beginning): string {
  return JSON.stringify({ ...asked, call: "", broadcast: "" });
}

function ignore(): void {
  // What cannot be read now is read again with the next look.
}
