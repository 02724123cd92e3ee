// The page's one AudioContext: whether the browser lets it sound at all, its tones, and a proof that sound still flows.

import { mark } from "../diagnostics";
import { MELODIES, type Note, type ToneName } from "./melodies";

const LOUDNESS = 0.22;
const EDGE_S = 0.006;
const GRACE_MS = 400;

export class Sound {
  readonly context = new AudioContext({ latencyHint: "interactive" });
  #master = this.context.createGain();
  #onChange: (locked: boolean) => void;
  #settled = false;
  #told = "";

  constructor(onChange: (locked: boolean) => void) {
    this.#onChange = onChange;
    this.#master.gain.value = LOUDNESS;
    this.#master.connect(this.context.destination);
    this.context.onstatechange = () => this.#tell();
    // A context that may run needs a moment to start; only one that still waits then is locked.
    setTimeout(() => {
      this.#settled = true;
      this.#tell();
    }, GRACE_MS);
  }

  get locked(): boolean {
    return this.#settled && !this.running;
  }

  get running(): boolean {
    return this.context.state === "running";
  }

  /** Called inside a touch or key press: the only moment a browser lets sound begin. */
  async unlock(): Promise<void> {
    if (!this.running) await this.context.resume();
    this.#settled = true;
    this.#tell();
  }

  /** Plays a tone on this phone alone; it never enters the microphone's path. */
  tone(name: ToneName): void {
    const start = this.context.currentTime + 0.002;
    mark("tone", { tone: name, at: this.#performanceTime(start) });
    for (const note of MELODIES[name]) this.#note(start + note.at / 1000, note);
  }

  #note(start: number, { ms, hz, loudness = 1 }: Note): void {
    const length = ms / 1000;
    const oscillator = this.context.createOscillator();
    const envelope = this.context.createGain();
    oscillator.frequency.value = hz;
    envelope.gain.setValueAtTime(0, start);
    envelope.gain.linearRampToValueAtTime(loudness, start + EDGE_S);
    envelope.gain.setValueAtTime(loudness, start + length - EDGE_S);
    envelope.gain.linearRampToValueAtTime(0, start + length);
    oscillator.connect(envelope).connect(this.#master);
    oscillator.start(start);
    oscillator.stop(start + length);
  }

  /** The moment on `performance.now()`'s clock when the context's time `at` reaches the output. */
  #performanceTime(at: number): number {
    const { contextTime, performanceTime } = this.context.getOutputTimestamp();
    if (!contextTime || !performanceTime) return performance.now() + (at - this.context.currentTime) * 1000;
    return performanceTime + (at - contextTime) * 1000;
  }

  #tell(): void {
    const state = this.locked ? "locked" : this.context.state;
    if (state === this.#told) return;
    this.#told = state;
    mark("sound", { state });
    this.#onChange(this.locked);
  }
}
