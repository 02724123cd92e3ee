// Receipts of this phone: delivered when it is taken, heard when the browser's own counts say so, acknowledged by a person.

import { signal } from "@preact/signals";
import { freshToken } from "../account/account";
import { mark } from "../diagnostics";
import type { Request } from "../wire/link";
import { RequestRefused } from "../wire/link";
import type { Broadcast, Receipt, ServerMessage } from "../wire/protocol";
import { begun, heard, LOOK_MS, looked, type Measure, type Played, playedSeconds, RATE } from "./hearing";

const AGAIN_MS = 2_000;
/** A recorded message waits at most so long for silence on the air. */
const QUIET_WITHIN_MS = 15_000;

export type ReceiptPorts = {
  ask: (request: Request) => Promise<ServerMessage>;
  /** Whether a person would hear a sound of this page now, and of this slot if one is named. */
  audible: (slot?: number) => boolean;
  played: (slot: number) => Promise<Played>;
  /** Whether the burst of this slot has ended and its last words still come. */
  ending: (slot: number) => boolean;
  /** Whether somebody is heard, or this phone talks, just now. */
  busy: () => boolean;
  /** The server has kept a receipt. */
  kept: (broadcast: string, state: Receipt["state"]) => void;
  /** A broadcast came that was not there before, or its person is reminded of it. */
  arrived: (broadcast: Broadcast) => void;
};

type Heard = { samples_expected: number; samples_played: number; again: boolean };

/** A burst by its group, too: those of two groups that began in one millisecond have one number. */
type Said = string;

function saidIn(group: string | null | undefined, burst: number): Said {
  return `${group} ${burst}`;
}

export class Receipts {
  /** Id of the broadcast whose recording is heard now. */
  readonly playing = signal<string | null>(null);
  readonly #ports: ReceiptPorts;
  /** Slot → what it carries. */
  #measures = new Map<number, { said: Said; measure: Promise<Measure> }>();
  /** What was measured of those that are over. */
  #done = new Map<Said, Promise<Measure>>();
  #known = new Map<string, Broadcast>();
  #heard = new Map<string, Heard>();
  #asking = new Set<string>();
  #queue: string[] = [];
  #element: HTMLAudioElement | null = null;
  #working = false;

  constructor(ports: ReceiptPorts) {
    this.#ports = ports;
  }

  received(message: ServerMessage): void {
    if (message.type === "slot") {
      const { slot, group, burst } = message;
      this.#carries(slot, burst ? saidIn(group, burst) : null);
    }
    if (message.type === "broadcast") this.#told(message);
  }

  /** A person touched it. Rejects when it could not be kept. */
  async acknowledge(broadcast: string): Promise<void> {
    await this.#ports.ask({ type: "receipt", broadcast, state: "acknowledged" });
    mark("receipt", { broadcast, state: "acknowledged" });
  }

  /** Plays what a broadcast says from its start; while it is still said, what was said so far. */
  play(broadcast: string): void {
    if (this.playing.peek() === broadcast) return this.stop();
    this.stop();
    this.#queue = [broadcast, ...this.#queue.filter((id) => id !== broadcast)];
    void this.#work(false);
  }

  stop(): void {
    this.#element?.pause();
  }

  // --- a live one ---

  #carries(slot: number, said: Said | null): void {
    const before = this.#measures.get(slot);
    if (before && before.said !== said) {
      this.#measures.delete(slot);
      this.#done.set(before.said, before.measure);
      if (this.#done.size > 50) this.#done.delete([...this.#done.keys()][0] as Said);
    }
    if (said && before?.said !== said) {
      this.#measures.set(slot, { said, measure: this.#measure(slot, said) });
    }
  }

  /** Looks until the slot carries something else, and the last word was heard. */
  async #measure(slot: number, said: Said): Promise<Measure> {
    const audible = () => this.#ports.audible(slot);
    const begin = await this.#ports.played(slot);
    let measure = begun(performance.now(), begin, audible());
    const look = () => {
      measure = looked(measure, performance.now(), audible());
    };
    while (this.#measures.get(slot)?.said === said) {
      await pause(LOOK_MS);
      look();
    }
    do {
      await pause(LOOK_MS);
      look();
    } while (this.#ports.ending(slot));
    return { ...measure, end: await this.#ports.played(slot) };
  }

  // --- what is told ---

  #told(message: Broadcast): void {
    const { broadcast, receipt } = message;
    const { id, state } = broadcast;
    const first = !this.#known.has(id);
    this.#known.set(id, message);
    if (state === "withdrawn" || state === "expired") {
      if (this.playing.peek() === id) this.stop();
      this.#queue = this.#queue.filter((each) => each !== id);
      return;
    }
    if (receipt === "sent") void this.#say(id, { type: "receipt", broadcast: id, state: "delivered" });
    if ((first || message.reminder) && receipt !== "acknowledged") this.#ports.arrived(message);
    if (receipt !== "heard" && receipt !== "acknowledged") void this.#hear(message, first);
  }

  async #hear({ broadcast }: Broadcast, first: boolean): Promise<void> {
    const { id, kind, group, burst, samples, state } = broadcast;
    const known = this.#heard.get(id);
    if (known) return this.#sayHeard(id, known);
    if (kind === "recorded" && first) return this.#line(id);
    if (kind !== "live" || state !== "over" || !burst || !samples) return;
    const last = saidIn(group, burst);
    for (const [slot, { said }] of this.#measures) if (said === last) this.#carries(slot, null);
    const measure = await this.#done.get(last);
    // Nothing of it was on a slot of this phone: it was away, and hears it now from the start.
    if (!measure) return first ? this.#line(id) : undefined;
    const part = heard(measure, samples);
    mark("measured", { broadcast: id, burst, samples, audible: measure.audible, heard: part !== null });
    if (part) this.#sayHeard(id, { ...part, again: false });
  }

  #sayHeard(id: string, said: Heard): void {
    this.#heard.set(id, said);
    void this.#say(id, { type: "receipt", broadcast: id, state: "heard", ...said });
  }

  /** Says it until the server has kept it, or refused it; a link that is lost brings the broadcast again. */
  async #say(id: string, request: Request & { type: "receipt" }): Promise<void> {
    const key = `${id} ${request.state}`;
    if (this.#asking.has(key)) return;
    this.#asking.add(key);
    try {
      await this.#ports.ask(request);
      mark("receipt", { broadcast: id, state: request.state });
      this.#ports.kept(id, request.state);
    } catch (problem) {
      const code = problem instanceof RequestRefused ? problem.code : null;
      mark("receipt_refused", { broadcast: id, state: request.state, code });
      if (code === "not_heard") this.#heard.delete(id);
      if (code === "unavailable") setTimeout(() => void this.#say(id, request), AGAIN_MS);
    } finally {
      this.#asking.delete(key);
    }
  }

  // --- from its recording ---

  #line(id: string): void {
    if (!this.#queue.includes(id)) this.#queue.push(id);
    void this.#work(true);
  }

  async #work(wait: boolean): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let id = this.#queue.shift(); id !== undefined; id = this.#queue.shift()) {
        if (wait) await this.#quiet();
        await this.#play(id).catch((problem: unknown) =>
          mark("play_failed", { id, problem: String(problem) }),
        );
      }
    } finally {
      this.#working = false;
      this.playing.value = null;
    }
  }

  async #quiet(): Promise<void> {
    const until = performance.now() + QUIET_WITHIN_MS;
    while (this.#ports.busy() && performance.now() < until) await pause(LOOK_MS);
  }

  async #play(id: string): Promise<void> {
    const element = new Audio();
    const form = element.canPlayType("audio/ogg; codecs=opus") ? "ogg" : "mp4";
    const response = await fetch(`/api/v1/broadcasts/${encodeURIComponent(id)}/audio?as=${form}`, {
      headers: { authorization: `Bearer ${await freshToken()}` },
    });
    if (!response.ok) throw new Error(String(response.status));
    const url = URL.createObjectURL(await response.blob());
    let audible = true;
    const look = () => {
      audible &&= this.#ports.audible() && !element.muted && element.volume > 0;
    };
    const timer = window.setInterval(look, LOOK_MS);
    try {
      this.#element = element;
      element.src = url;
      this.playing.value = id;
      await element.play();
      await new Promise<void>((done) => {
        element.onended = element.onpause = element.onerror = () => done();
      });
      look();
      if (audible) this.#finished(id, playedSeconds(element.played));
    } finally {
      clearInterval(timer);
      URL.revokeObjectURL(url);
      this.#element = null;
      this.playing.value = null;
    }
  }

  #finished(id: string, seconds: number): void {
    const samples = this.#known.get(id)?.broadcast.samples;
    if (!samples) return;
    const played = Math.min(samples, Math.round(seconds * RATE));
    mark("replayed", { broadcast: id, played, samples });
    this.#sayHeard(id, { samples_expected: samples, samples_played: played, again: true });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
