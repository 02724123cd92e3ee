// The media path: one RTCPeerConnection that answers the server's offers. First line: our microphone; the rest: slots.

import { diagnostics, mark } from "../diagnostics";
import type { IceServer } from "../wire/protocol";
import { DEFAULT_PROFILE, doubled, sessionOf, uplinkPtime, voiced } from "./sdp";

/** `failed` stays until voice can flow again, however many attempts that takes. */
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
  #session = "";
  #offer = "";
  #twice = false;
  #deadline = 0;
  #orders: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly owner: PathOwner,
    private readonly relayOnly: boolean,
  ) {}

  /**
   * Takes an offer and resolves to its answer. An offer of the session we have moves the path to new addresses and keeps its keys;
   * any other begins a new path.
   */
  accept(offer: string, servers: readonly IceServer[]): Promise<string> {
    const session = sessionOf(offer);
    const known = this.#peer !== null && session === this.#session && this.#peer.connectionState !== "closed";
    const peer = known && this.#peer ? this.#peer : this.#replace(servers);
    this.#session = session;
    if (this.state !== "connected") this.#await();
    return this.#order(() => this.#answer(peer, offer, !known));
  }

  /** Sends each voice frame twice from now on, or once again: settled here, by reading the server's last offer anew. */
  twice(on: boolean): void {
    if (on === this.#twice) return;
    this.#twice = on;
    const peer = this.#peer;
    if (!peer) return;
    void this.#order(() => this.#answer(peer, this.#offer, false))
      .then(() => mark("redundancy", { twice: on }))
      .catch((problem: unknown) => mark("redundancy_refused", { problem: String(problem) }));
  }

  close(): void {
    this.#drop();
    this.#become("none");
  }

  #replace(servers: readonly IceServer[]): RTCPeerConnection {
    this.#drop();
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
    if (this.state !== "failed") this.#become("connecting");
    return peer;
  }

  #drop(): void {
    clearTimeout(this.#deadline);
    this.#peer?.close();
    this.#peer = null;
    this.uplink = null;
    diagnostics.peer = null;
  }

  async #answer(peer: RTCPeerConnection, offer: string, first: boolean): Promise<string> {
    // An encoder obeys what the far side asked for, so the profile goes into both descriptions.
    const profile = { ...DEFAULT_PROFILE, ptime: uplinkPtime(offer) };
    this.#offer = offer;
    const tuned = voiced(this.#twice ? doubled(offer) : offer, profile);
    await peer.setRemoteDescription({ type: "offer", sdp: tuned });
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
    } else if (peer.iceConnectionState === "disconnected" && this.state === "connected") {
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
