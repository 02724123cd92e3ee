// Keeps a media path: asks for a second offer when voice stops coming, and for a new path when that does not help.

import { mark } from "../diagnostics";
import type { PathState } from "../media/path";
import { LINK_LIMITS, type Link, RequestRefused, RequestUnanswered } from "../wire/link";

/** With no media path, a new attempt so often. */
export const PATH_RETRY_MS = 10_000;

export class Mending {
  #retry = 0;
  #attempts = 0;

  constructor(
    private readonly link: Link,
    private readonly up: () => boolean,
  ) {}

  /** Asks for a second offer. A server that lost the path offers a new one; one that cannot is greeted anew. */
  restart(reason: string): void {
    mark("ice_restart", { reason });
    if (!this.up()) return this.link.hurry();
    this.link.request({ type: "ice_restart" }, LINK_LIMITS.probeMs).catch((problem: unknown) => {
      if (problem instanceof RequestRefused) this.#rebuild();
      else if (reason !== "no_packets") this.link.suspect(problem);
      // All who listen to a silent talker ask: a server that is late with so many offers still answers a ping.
      else if (problem instanceof RequestUnanswered) this.link.probe();
    });
  }

  pathChanged(state: PathState): void {
    clearInterval(this.#retry);
    if (state === "interrupted") this.restart("disconnected");
    if (state === "failed") this.#retry = window.setInterval(() => this.#again(), PATH_RETRY_MS);
    this.#attempts = 0;
  }

  /** By turns a moved path and a new one: the server may still believe in the keys of the old. */
  #again(): void {
    this.#attempts += 1;
    if (this.#attempts % 2 === 1) this.restart("no_media_path");
    else this.#rebuild();
  }

  #rebuild(): void {
    this.link.forget();
    this.link.lost();
    this.link.hurry();
  }
}
