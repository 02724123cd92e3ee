// The slots: one <audio> element per voice line that the server sends on, and who listens to their first packets.

import { diagnostics, mark } from "../diagnostics";
import type { Played } from "../emergency/hearing";

/** How a slot sounds: loudness 0 to 1, and from −1 (left ear) to 1 (right ear). */
export type Mix = { gain: number; pan: number };

type Playing = {
  element: HTMLAudioElement;
  receiver: RTCRtpReceiver;
  desk: Fader | null;
  mix: Mix;
  /** As the browser last counted it, where there is no fader to look at. */
  level: number;
};
type Fader = {
  gain: GainNode;
  panner: StereoPannerNode;
  source: MediaStreamAudioSourceNode;
  /** Before the fader: how loud the talker is, not how loud the listener wants him. */
  before: AnalyserNode;
};

/** Samples that are looked at for the loudness: 43 ms at 48 kHz. */
const LOOKED_AT = 2048;
/** A change of loudness takes so long (s): a step would click. */
const FADE_S = 0.01;
/**
 * No jitter buffer is shorter (ms): one frame of 40. On a quiet path Chromium's own aim is 20, half a frame, and then it runs dry
 * whenever a machine does something else for a moment, and stretches and squeezes the voice in turn. Browsers without
 * `jitterBufferTarget` (Safari, older Firefox) keep their own aim: the property is set and read by nobody.
 */
const SHORTEST_BUFFER_MS = 40;

export class Slots {
  #slots: Playing[] = [];
  #muted = false;

  /** With a `mixer` each slot has a fader and a side of its own; without, the elements play by themselves. */
  constructor(
    private readonly onLocked: (locked: boolean) => void,
    private readonly mixer: AudioContext | null = null,
  ) {}

  /** Takes the receivers of a new media path, in the order of the server's slots. */
  attach(receivers: RTCRtpReceiver[]): void {
    this.clear();
    this.#slots = receivers.map((receiver) => {
      const element = new Audio();
      const stream = new MediaStream([receiver.track]);
      element.autoplay = true;
      element.srcObject = stream;
      receiver.jitterBufferTarget = SHORTEST_BUFFER_MS;
      // The element stays, silent: it is what makes the browser decode the track.
      const desk = this.mixer ? fader(this.mixer, stream) : null;
      return { element, receiver, desk, mix: { gain: 1, pan: 0 }, level: 0 };
    });
    for (const playing of this.#slots) this.#apply(playing);
    diagnostics.streams = this.#slots.map(({ element }) => element.srcObject as MediaStream);
    void this.play();
  }

  /** Begins to play; outside a touch a browser may refuse, and says so here. */
  async play(): Promise<void> {
    try {
      await Promise.all(this.#slots.map(({ element }) => element.play()));
      this.onLocked(false);
    } catch (problem) {
      if (problem instanceof DOMException && problem.name === "NotAllowedError") this.onLocked(true);
    }
  }

  mute(muted: boolean): void {
    if (muted === this.#muted) return;
    this.#muted = muted;
    for (const playing of this.#slots) this.#apply(playing);
    mark("slots_muted", { muted });
  }

  /** How one slot sounds from now on. */
  mix(slot: number, mix: Mix): void {
    const playing = this.#slots[slot];
    if (!playing || (playing.mix.gain === mix.gain && playing.mix.pan === mix.pan)) return;
    playing.mix = mix;
    this.#apply(playing);
  }

  clear(): void {
    for (const { element, desk } of this.#slots) {
      element.srcObject = null;
      desk?.source.disconnect();
      desk?.before.disconnect();
      desk?.panner.disconnect();
    }
    this.#slots = [];
  }

  /** When `slot` last played a packet (ms of `performance.now()`); null when it never did. */
  lastPlayed(slot: number): number | null {
    const source = this.#slots[slot]?.receiver.getSynchronizationSources()[0];
    if (!source) return null;
    // Chromium stamps with wall time; the page's clock began at timeOrigin.
    return source.timestamp > 1e12 ? source.timestamp - performance.timeOrigin : source.timestamp;
  }

  /** How loud `slot` is, 0 to 1. */
  level(slot: number): number {
    const playing = this.#slots[slot];
    if (!playing) return 0;
    return playing.desk ? peak(playing.desk.before) : playing.level;
  }

  /**
   * Asks how loud these slots are. A source's own `audioLevel` is empty: it is read from a header (RFC 6464) that the
   * server does not send to listeners.
   */
  async measure(slots: Iterable<number>): Promise<void> {
    for (const slot of slots) {
      const playing = this.#slots[slot];
      if (!playing || playing.desk) continue;
      for (const entry of (await playing.receiver.getStats()).values()) {
        if (entry.type === "inbound-rtp") playing.level = (entry as RTCInboundRtpStreamStats).audioLevel ?? 0;
      }
    }
  }

  /** Whether what this slot carries comes out of the loudspeaker. */
  audible(slot: number): boolean {
    const playing = this.#slots[slot];
    if (!playing || this.#muted || playing.mix.gain <= 0 || playing.element.paused) return false;
    return playing.desk !== null || (!playing.element.muted && playing.element.volume > 0);
  }

  /** What the jitter buffer of one slot gave out so far; before its first packet a browser says nothing. */
  async played(slot: number): Promise<Played> {
    const report = await this.#slots[slot]?.receiver.getStats();
    for (const entry of report?.values() ?? []) {
      if (entry.type !== "inbound-rtp") continue;
      const stats = entry as RTCInboundRtpStreamStats;
      return {
        total: stats.totalSamplesReceived ?? 0,
        concealed: stats.concealedSamples ?? 0,
        inserted: stats.insertedSamplesForDeceleration ?? 0,
        removed: stats.removedSamplesForAcceleration ?? 0,
      };
    }
    return { total: 0, concealed: 0, inserted: 0, removed: 0 };
  }

  /** Voice packets received so far over all slots. */
  async packets(): Promise<number> {
    const reports = await Promise.all(this.#slots.map(({ receiver }) => receiver.getStats()));
    let total = 0;
    for (const report of reports) {
      for (const entry of report.values()) {
        if (entry.type === "inbound-rtp") total += (entry as RTCInboundRtpStreamStats).packetsReceived ?? 0;
      }
    }
    return total;
  }

  #apply({ element, desk, mix }: Playing): void {
    if (!desk) {
      // iOS leaves the volume as it is.
      element.muted = this.#muted || mix.gain === 0;
      element.volume = mix.gain;
      return;
    }
    const now = desk.gain.context.currentTime;
    element.muted = true;
    desk.gain.gain.setTargetAtTime(this.#muted ? 0 : mix.gain, now, FADE_S);
    desk.panner.pan.setTargetAtTime(mix.pan, now, FADE_S);
  }
}

function fader(context: AudioContext, stream: MediaStream): Fader {
  const source = context.createMediaStreamSource(stream);
  const gain = context.createGain();
  const panner = context.createStereoPanner();
  const before = new AnalyserNode(context, { fftSize: LOOKED_AT });
  source.connect(before);
  source.connect(gain).connect(panner).connect(context.destination);
  return { source, gain, panner, before };
}

const samples = new Float32Array(LOOKED_AT);

/** 0 to 1. */
function peak(at: AnalyserNode): number {
  at.getFloatTimeDomainData(samples);
  let most = 0;
  for (const sample of samples) most = Math.max(most, Math.abs(sample));
  return Math.min(1, most);
}
