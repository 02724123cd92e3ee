// The media path: one RTCPeerConnection that answers the server's offers. First line: our microphone; the rest: slots.

import { diagnostics, mark } from "../diagnostics";
import type { IceServer } from "../wire/protocol";
import { DEFAULT_PROFILE, uplinkPtime, voiced } from "./sdp";

export type PathState = "none" | "connecting" | "connected" | "interrupted" | "failed";

/** A path that is not there by then is told to the person. */
export const PATH_TIMEOUT_MS = 5000;

export type PathOwner = {
  changed: (state: PathState) => void;
  receivers: (receivers: RTCRtpReceiver[]) => void;
};

export class MediaPath {
  state: PathState = "none";
  uplink: RTCRtpSender | null = null;
  #peer: RTCPeerConnection | null = null;
  #deadline = 0;
  #orders: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly owner: PathOwner,
    private readonly relayOnly: boolean,
  ) {}

  get alive(): boolean {
    return this.#peer !== null && this.#peer.connectionState !== "closed" && this.state !== "failed";
  }

  /** A path of its own from the offer of a welcome; resolves to the answer. */
  begin(offer: string, servers: readonly IceServer[]): Promise<string> {
    this.close();
    const peer = new RTCPeerConnection({
      bundlePolicy: "max-bundle",
      iceTransportPolicy: this.relayOnly ? "relay" : "all",
      iceServers: servers.map(({ urls, username, credential }) => ({
        urls,
        ...(username ? { username } : {}),
        ...(credential ? { credential } : {}),
      })),
    });
    this.#peer = peer;
    diagnostics.peer = peer;
    peer.onconnectionstatechange = () => this.#look(peer);
    peer.oniceconnectionstatechange = () => this.#look(peer);
    this.#become("connecting");
    this.#await();
    return this.#order(() => this.#answer(peer, offer, true));
  }

  /** A second offer of the same path: new ICE credentials, same keys. Resolves to the answer, or null without a path. */
  restart(offer: string): Promise<string | null> {
    const peer = this.#peer;
    if (!peer) return Promise.resolve(null);
    if (this.state !== "connected") this.#await();
    return this.#order(() => this.#answer(peer, offer, false));
  }

  close(): void {
    clearTimeout(this.#deadline);
    this.#peer?.close();
    this.#peer = null;
    this.uplink = null;
    diagnostics.peer = null;
    this.#become("none");
  }

  async #answer(peer: RTCPeerConnection, offer: string, first: boolean): Promise<string> {
    // An encoder obeys what the far side asked for, so the profile goes into both descriptions.
    const profile = { ...DEFAULT_PROFILE, ptime: uplinkPtime(offer) };
    await peer.setRemoteDescription({ type: "offer", sdp: voiced(offer, profile) });
    const [uplink, ...slots] = peer.getTransceivers();
    if (first && uplink) {
      uplink.direction = "sendonly";
      this.uplink = uplink.sender;
      this.owner.receivers(slots.map(({ receiver }) => receiver));
    }
    const answer = await peer.createAnswer();
    const sdp = voiced(answer.sdp ?? "", profile);
    await peer.setLocalDescription({ type: "answer", sdp });
    return peer.localDescription?.sdp ?? sdp;
  }

  #look(peer: RTCPeerConnection): void {
    if (peer !== this.#peer) return;
    mark("peer", { connection: peer.connectionState, ice: peer.iceConnectionState });
    if (peer.connectionState === "connected" && peer.iceConnectionState !== "disconnected") {
      clearTimeout(this.#deadline);
      this.#become("connected");
    } else if (peer.connectionState === "failed" || peer.connectionState === "closed") {
      this.#become("failed");
    } else if (peer.iceConnectionState === "disconnected") {
      this.#become("interrupted");
    }
  }

  #await(): void {
    clearTimeout(this.#deadline);
    this.#deadline = window.setTimeout(() => this.#become("failed"), PATH_TIMEOUT_MS);
  }

  #order<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#orders.then(work);
    this.#orders = result.catch(() => undefined);
    return result;
  }

  #become(state: PathState): void {
    if (state === this.state) return;
    this.state = state;
    mark("media", { state });
    this.owner.changed(state);
  }
}
