// One WebSocket to the server, kept alive: hello, resume, back-off, and an answer for every request.

import { mark } from "../diagnostics";
import { backoff } from "./backoff";
import type { ClientMessage, Refusal, ServerMessage, Welcome } from "./protocol";
import { SUBPROTOCOL } from "./protocol";

export type LinkState = "connecting" | "up" | "reconnecting" | "closed";

export const LINK_LIMITS = {
  /** A socket that has not been welcomed by then is given up. */
  welcomeMs: 8000,
  pingEveryMs: 10_000,
  /** No sign of life for so long after a ping: the link is dead although the socket looks open. */
  pongMs: 4000,
  requestMs: 8000,
  /** Where a quick answer tells whether the network is still there. */
  probeMs: 2000,
  /**
   * So long after a message that a person waits for, a small one follows, unless the answer came first. A lone TCP segment that is
   * lost on the way is repeated only after a timeout of 0.3 s and more; one that others follow after one round trip (RFC 8985).
   */
  followMs: [15, 30],
} as const;

export class RequestUnanswered extends Error {}
export class LinkLost extends Error {}

export class RequestRefused extends Error {
  constructor(
    readonly code: Refusal,
    message: string,
  ) {
    super(message);
  }
}

export type LinkOwner = {
  /**
   * A token that is good now (`renew`: the last one was refused); null when the person has to sign in again. Rejects when
   * there is no network.
   */
  token: (renew: boolean) => Promise<string | null>;
  welcomed: (welcome: Welcome) => void;
  received: (message: ServerMessage) => void;
  /** A small message that may be said at any time and has no answer. */
  beat: () => ClientMessage;
  changed: (state: LinkState) => void;
  /** The server said good-bye for good, or the sign-in is over. */
  dismissed: (code: Refusal) => void;
};

type Pending = { settle: (message: ServerMessage) => void; fail: (problem: Error) => void; timer: number };

/** Every request of the wire, without the id that the link gives it. */
type Unnumbered<M> = M extends { id: string } ? Omit<M, "id"> : never;
export type Request = Unnumbered<Exclude<ClientMessage, { type: "hello" }>>;

export class Link {
  state: LinkState = "closed";
  #socket: WebSocket | null = null;
  #resume: string | null = null;
  #attempt = 0;
  #serial = 0;
  #pending = new Map<string, Pending>();
  #retry = 0;
  #watch = 0;
  #lastHeard = 0;
  #generation = 0;
  #followers = new Followers();
  #renew = false;
  #here = false;
  /** A token that was renewed and refused again will not get better. */
  #renewed = false;

  constructor(
    private readonly owner: LinkOwner,
    private readonly client: {
      language: "zh-CN" | "en";
      slots: number;
      device?: string;
      group?: () => string | null;
    },
  ) {}

  open(): void {
    this.#become("connecting");
    void this.#connect();
  }

  close(): void {
    this.#become("closed");
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** Tries again at once: the network came back, or a person asks for it. */
  hurry(): void {
    if (this.state !== "reconnecting") return;
    clearTimeout(this.#retry);
    this.#attempt = 0;
    void this.#connect();
  }

  /** The network is known to be gone: do not wait for the socket to notice. */
  lost(): void {
    if (this.state === "up" || this.state === "connecting") this.#failed();
  }

  /** Makes sure that the link still lives: the network moved beneath it, or an answer stayed away. */
  probe(): void {
    if (this.state !== "up") return this.hurry();
    this.request({ type: "ping" }, LINK_LIMITS.probeMs).catch((problem: unknown) => this.suspect(problem));
  }

  /** A request had no answer in time: the link is given up. A refusal is an answer. */
  suspect(problem: unknown): void {
    if (problem instanceof RequestUnanswered) this.lost();
  }

  /** The next connection starts anew, with a media path of its own, at whichever node it comes to. */
  forget(): void {
    this.#resume = null;
    this.#here = true;
  }

  /** Sends without waiting; false when there is no link. */
  send(message: ClientMessage): boolean {
    if (this.state !== "up" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** `send` for what a person waits for: a loss on the way costs one round trip, not a timeout. */
  urge(message: ClientMessage & { id: string }): boolean {
    const sent = this.send(message);
    this.#followers.clear();
    if (sent) this.#followers.follow(message.id, () => this.send(this.owner.beat()));
    return sent;
  }

  /** Rejects with `RequestRefused` when the server says no, `RequestUnanswered` when it says nothing within `ms`. */
  request(message: Request, ms: number = LINK_LIMITS.requestMs): Promise<ServerMessage> {
    const id = `r${++this.#serial}`;
    return new Promise((settle, fail) => {
      if (!this.send({ ...message, id } as ClientMessage)) return fail(new LinkLost());
      const timer = window.setTimeout(() => {
        this.#pending.delete(id);
        fail(new RequestUnanswered());
      }, ms);
      this.#pending.set(id, { settle, fail, timer });
    });
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    this.#drop();
    let token: string | null;
    try {
      token = await this.owner.token(this.#renew);
      this.#renew = false;
    } catch {
      if (generation === this.#generation) this.#failed();
      return;
    }
    if (generation !== this.#generation || this.state === "closed") return;
    if (token === null) return this.#dismiss("not_signed_in");
    const socket = new WebSocket(this.#url(), SUBPROTOCOL);
    this.#socket = socket;
    this.#watch = window.setTimeout(() => this.#failed(), LINK_LIMITS.welcomeMs);
    socket.onopen = () => socket.send(JSON.stringify(this.#hello(token)));
    socket.onmessage = (event) => {
      if (socket === this.#socket && typeof event.data === "string") this.#heard(event.data);
    };
    socket.onclose = (event) => {
      if (socket !== this.#socket) return;
      mark("socket_closed", { code: event.code });
      this.#failed();
    };
  }

  /** Of several nodes, the one with the others of its group serves this phone, unless its voice found no way there. */
  #url(): URL {
    const url = new URL("/ws", location.href.replace(/^http/, "ws"));
    const group = this.client.group?.();
    if (this.#here) url.searchParams.set("here", "1");
    else if (group) url.searchParams.set("group", group);
    this.#here = false;
    return url;
  }

  #hello(token: string): ClientMessage {
    return {
      type: "hello",
      id: `r${++this.#serial}`,
      token,
      client: { name: "web", version: __VERSION__, language: this.client.language },
      slots: this.client.slots,
      ...(this.client.device ? { device: this.client.device } : {}),
      ...(this.#resume ? { resume: this.#resume } : {}),
    };
  }

  #heard(text: string): void {
    this.#lastHeard = performance.now();
    let message: ServerMessage;
    try {
      message = JSON.parse(text) as ServerMessage;
    } catch {
      return;
    }
    if (message.type === "welcome") return this.#welcome(message);
    if (message.type === "bye" && !message.reconnect) return this.#dismiss(message.code);
    if (message.type === "error" && this.state !== "up") return this.#refusedHello(message.code);
    const id = "id" in message && message.id ? message.id : null;
    if (id !== null) this.#followers.answered(id);
    const waiting = id === null ? undefined : this.#pending.get(id);
    if (id !== null && waiting) {
      this.#pending.delete(id);
      clearTimeout(waiting.timer);
      if (message.type === "error") waiting.fail(new RequestRefused(message.code, message.message));
      else waiting.settle(message);
    }
    this.owner.received(message);
  }

  #welcome(welcome: Welcome): void {
    this.#resume = welcome.resume;
    this.#attempt = 0;
    this.#renewed = false;
    clearTimeout(this.#watch);
    this.#watch = window.setTimeout(() => this.#ping(), LINK_LIMITS.pingEveryMs);
    this.#become("up");
    this.owner.welcomed(welcome);
  }

  #refusedHello(code: Refusal): void {
    if ((code === "token_expired" || code === "bad_token") && !this.#renewed) {
      this.#renew = true;
      this.#renewed = true;
      return this.#failed();
    }
    if (code === "unavailable" || code === "draining") return this.#failed();
    if (code === "stale" || code === "bad_message" || code === "not_found") {
      this.forget();
      return this.#failed();
    }
    this.#dismiss(code);
  }

  /** Beats only when nothing else was heard, so that an idle phone stays cheap. */
  #ping(): void {
    const since = performance.now();
    this.send({ type: "ping", id: `r${++this.#serial}` });
    this.#watch = window.setTimeout(() => {
      if (this.#lastHeard < since) return this.#failed();
      this.#watch = window.setTimeout(
        () => this.#ping(),
        Math.max(0, LINK_LIMITS.pingEveryMs - LINK_LIMITS.pongMs),
      );
    }, LINK_LIMITS.pongMs);
  }

  #failed(): void {
    if (this.state === "closed") return;
    this.#generation++;
    this.#drop();
    this.#become("reconnecting");
    clearTimeout(this.#retry);
    this.#retry = window.setTimeout(() => void this.#connect(), backoff(this.#attempt++, Math.random()));
  }

  #dismiss(code: Refusal): void {
    this.close();
    this.owner.dismissed(code);
  }

  #drop(): void {
    this.#followers.clear();
    clearTimeout(this.#watch);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    for (const { fail, timer } of this.#pending.values()) {
      clearTimeout(timer);
      fail(new LinkLost());
    }
    this.#pending.clear();
  }

  #become(state: LinkState): void {
    if (state === this.state) return;
    this.state = state;
    mark("link", { state });
    this.owner.changed(state);
  }
}

/** The small messages that are to follow one for which a person waits. */
class Followers {
  #id = "";
  #timers: number[] = [];

  follow(id: string, send: () => void): void {
    this.#id = id;
    this.#timers = LINK_LIMITS.followMs.map((ms) => window.setTimeout(send, ms));
  }

  answered(id: string): void {
    if (id === this.#id) this.clear();
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }
}
