// Written messages of one phone: follows what the server tells, fetches, sends until it is kept, says what was read.

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { uuid } from "../uuid";
import { LinkLost, type Request, RequestUnanswered } from "../wire/link";
import type { Picture } from "../wire/picture";
import type { ServerMessage, TextInfo } from "../wire/protocol";
import { keyOf, read, sorted, type Threads, textsTold, unreadOf, type Where, withPage } from "./threads";

const PAGE = 40;
/** One that was not answered is sent again, under the same id, so that it is kept once. */
const AGAIN_MS = 2000;
const TRIES = 5;

export type Written = Pick<TextInfo, "kind"> & { text?: string; status?: TextInfo["status"] };

/** The phone whose messages they are: who it is, what it hears from the server, what it asks. */
export interface Writer {
  readonly picture: ReadonlySignal<Picture>;
  follow(listener: (message: ServerMessage) => void): void;
  ask(request: Request): Promise<ServerMessage>;
}

export class Texts {
  readonly threads = signal<Threads>({});
  readonly list = computed(() => sorted(this.threads.value));
  readonly unread = computed(() => unreadOf(this.threads.value));

  /** There are older threads than those that are listed. */
  readonly more = signal(false);
  /** They were asked for, and there was no answer. */
  #owed = false;

  constructor(private readonly phone: Writer) {
    phone.follow((message) => {
      const me = phone.picture.peek().user?.id ?? null;
      this.threads.value = textsTold(this.threads.peek(), message, me);
      if (message.type === "threads") this.more.value = message.more;
      if (message.type === "welcome" && this.#owed) void this.fetchThreads().catch(() => undefined);
    });
  }

  /** All threads of this person, read or not, on whatever device. Rejects as `Link.request` does, and asks again later. */
  async fetchThreads(): Promise<void> {
    this.#owed = true;
    await this.phone.ask({ type: "thread_list" });
    this.#owed = false;
  }

  /** The newest messages of a thread, or those before the ones that are here. Rejects as `Link.request` does. */
  async fetch(where: Where): Promise<void> {
    const known = this.threads.peek()[keyOf(where)];
    const before = known?.messages[0]?.number;
    const answer = await this.phone.ask({
      type: "text_list",
      ...where,
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    if (answer.type !== "texts") return;
    this.threads.value = withPage(this.threads.peek(), where, answer.messages, answer.more);
  }

  /** Everything that is here was seen. */
  seen(where: Where): void {
    const known = this.threads.peek()[keyOf(where)];
    const number = known?.last?.number;
    if (!known || known.unread === 0 || number === undefined) return;
    this.threads.value = read(this.threads.peek(), where);
    this.phone.ask({ type: "text_read", ...where, number }).catch(() => undefined);
  }

  /** Resolves when it is kept. Rejects with `RequestRefused`, or when the network stayed away. */
  async send(where: Where, written: Written): Promise<void> {
    const message = `m-${uuid()}`;
    const { kind, text = "", status } = written;
    for (let tries = 1; ; tries++) {
      try {
        await this.phone.ask({
          type: "text_send",
          message,
          ...where,
          kind,
          text,
          ...(status ? { status } : {}),
        });
        return;
      } catch (problem) {
        const lost = problem instanceof LinkLost || problem instanceof RequestUnanswered;
        if (!lost || tries === TRIES) throw problem;
        await new Promise((done) => setTimeout(done, AGAIN_MS));
      }
    }
  }
}
