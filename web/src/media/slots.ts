// The slots: one <audio> element per voice line that the server sends on, and who listens to their first packets.

import { diagnostics, mark } from "../diagnostics";

type Playing = { element: HTMLAudioElement; receiver: RTCRtpReceiver };

export class Slots {
  #slots: Playing[] = [];
  #muted = false;

  constructor(private readonly onLocked: (locked: boolean) => void) {}

  /** Takes the receivers of a new media path, in the order of the server's slots. */
  attach(receivers: RTCRtpReceiver[]): void {
    this.clear();
    this.#slots = receivers.map((receiver) => {
      const element = new Audio();
      element.autoplay = true;
      element.muted = this.#muted;
      element.srcObject = new MediaStream([receiver.track]);
      return { element, receiver };
    });
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
    for (const { element } of this.#slots) element.muted = muted;
    mark("slots_muted", { muted });
  }

  /** How loud one slot is played, 0 to 1. */
  volume(slot: number, volume: number): void {
    const playing = this.#slots[slot];
    if (playing) playing.element.volume = volume;
  }

  clear(): void {
    for (const { element } of this.#slots) element.srcObject = null;
    this.#slots = [];
  }

  /** When `slot` last played a packet (ms of `performance.now()`), and how loud it was, 0 to 1. */
  heard(slot: number): { at: number; level: number } | null {
    const source = this.#slots[slot]?.receiver.getSynchronizationSources()[0];
    if (!source) return null;
    // Chromium stamps with wall time; the page's clock began at timeOrigin.
    const at = source.timestamp > 1e12 ? source.timestamp - performance.timeOrigin : source.timestamp;
    return { at, level: Math.min(1, source.audioLevel ?? 0) };
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
}
