// The microphone: getUserMedia → gain → a track that is attached to the uplink only while this phone talks.
//
// It is opened on the first touch of the page and kept warm, because a cold one swallows the first words; a page that was hidden
// for long gives it back (docs/decisions/0010-warm-microphone.md).

import { mark } from "../diagnostics";

export type MicrophoneState = "cold" | "starting" | "warm" | "refused" | "missing" | "lost" | "unsupported";

const EDGE_S = 0.005;
/** The microphone's path is so long: what was said while the track was being attached still goes out. */
export const HEAD_START_MS = 20;

export class VoiceInput {
  state: MicrophoneState = "cold";
  #stream: MediaStream | null = null;
  #source: MediaStreamAudioSourceNode | null = null;
  #delay: DelayNode;
  #gain: GainNode;
  #meter: AnalyserNode;
  #track: MediaStreamTrack;
  #starting: Promise<void> | null = null;
  #orders: Promise<void> = Promise.resolve();
  #wanted = false;

  constructor(
    private readonly context: AudioContext,
    private readonly uplink: () => RTCRtpSender | null,
    private readonly onChange: (state: MicrophoneState) => void,
    private readonly processing: boolean,
  ) {
    this.#delay = new DelayNode(context, { delayTime: HEAD_START_MS / 1000 });
    this.#gain = context.createGain();
    this.#gain.gain.value = 0;
    this.#meter = context.createAnalyser();
    this.#meter.fftSize = 512;
    const out = context.createMediaStreamDestination();
    out.channelCount = 1;
    this.#delay.connect(this.#gain);
    this.#gain.connect(this.#meter);
    this.#gain.connect(out);
    this.#track = out.stream.getAudioTracks()[0] as MediaStreamTrack;
    this.#track.contentHint = "speech";
  }

  /** Opens the device unless it is open; asks the person the first time. Never rejects: `state` says how it went. */
  prepare(): Promise<void> {
    if (this.state === "warm") return Promise.resolve();
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  /** Gives the device back, so that the system's recording mark goes out. */
  cool(): void {
    if (this.#wanted || this.state !== "warm") return;
    this.#release();
    this.#become("cold");
  }

  /** Key down: what is said from now on goes out. */
  open(): void {
    this.#wanted = true;
    this.#ramp(1, 0);
    this.#order(async () => {
      await this.prepare();
      if (!this.#wanted || this.state !== "warm") return;
      await this.uplink()?.replaceTrack(this.#track);
      mark("mic_open");
    });
  }

  /** Key up: what was said so far goes out, then silence until `detach`. */
  silence(): void {
    this.#wanted = false;
    this.#ramp(0, HEAD_START_MS / 1000);
    mark("mic_silent");
  }

  /** Ends sending; resolves when nothing more goes out. */
  detach(): Promise<void> {
    return this.#order(async () => {
      if (this.#wanted) return;
      await this.uplink()?.replaceTrack(null);
      mark("mic_detached");
    });
  }

  /** Loudness of what goes out, 0 to 1. */
  level(): number {
    const samples = new Float32Array(this.#meter.fftSize);
    this.#meter.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    return Math.min(1, Math.max(0, 1 + Math.log10(power + 1e-9) / 5));
  }

  async #start(): Promise<void> {
    if (!navigator.mediaDevices?.getUserMedia) return this.#become("unsupported");
    this.#become("starting");
    try {
      const on = this.processing;
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: on, noiseSuppression: on, autoGainControl: on, channelCount: 1 },
      });
      this.#take(stream);
      this.#become("warm");
    } catch (problem) {
      const name = problem instanceof DOMException ? problem.name : "";
      mark("mic_refused", { name });
      this.#become(name === "NotAllowedError" || name === "SecurityError" ? "refused" : "missing");
    }
  }

  #take(stream: MediaStream): void {
    this.#release();
    this.#stream = stream;
    this.#source = this.context.createMediaStreamSource(stream);
    this.#source.connect(this.#delay);
    const track = stream.getAudioTracks()[0];
    if (!track) return;
    // A call that comes in mutes the track; a headset that is pulled ends it, and what is left is opened at once.
    track.onmute = () => this.#become("lost");
    track.onunmute = () => this.#become("warm");
    track.onended = () => {
      this.#release();
      this.#become("starting");
      void this.prepare();
    };
  }

  #release(): void {
    this.#source?.disconnect();
    this.#source = null;
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#stream = null;
  }

  #ramp(to: 0 | 1, wait: number): void {
    const now = this.context.currentTime;
    const { gain } = this.#gain;
    gain.cancelScheduledValues(now);
    gain.setValueAtTime(gain.value, now + wait);
    gain.linearRampToValueAtTime(to, now + wait + EDGE_S);
  }

  /** One after the other: an attach never overtakes a detach. */
  #order(work: () => Promise<void>): Promise<void> {
    this.#orders = this.#orders.then(work).catch((problem: unknown) => {
      mark("mic_problem", { problem: String(problem) });
    });
    return this.#orders;
  }

  #become(state: MicrophoneState): void {
    if (state === this.state) return;
    this.state = state;
    mark("microphone", { state });
    this.onChange(state);
  }
}
