// What a console monitors, asked for again after each welcome: the server forgets it with the place of the page, and
// nobody may lose it to a page that was loaded anew or a network that was away.

import { keepMonitored, keptMonitored } from "../settings";
import { type Request, RequestRefused } from "../wire/link";
import type { Monitoring, ServerMessage } from "../wire/protocol";
import { everyGroup } from "./groups";

export type Monitor = Extract<Request, { type: "monitor" }>;
const SCOPES: readonly unknown[] = ["own", "listed", "all"] satisfies Monitoring["scope"][];

/** What asks for the same again; null when nothing is monitored. */
export function againOf({ scope, hidden, groups }: Monitoring): Monitor | null {
  if (scope === "none" || (scope === "listed" && groups.length === 0)) return null;
  return {
    type: "monitor",
    scope,
    hidden,
    groups: scope === "listed" ? groups.map(({ id }) => id) : [],
  };
}

/** What was kept, if it is that: others may have written to the same storage. */
export function restoredMonitor(kept: unknown): Monitor | null {
  const { scope, hidden, groups } = (kept ?? {}) as Partial<Record<keyof Monitor, unknown>>;
  const ids = Array.isArray(groups) ? groups.filter((id): id is string => typeof id === "string") : [];
  if (!SCOPES.includes(scope) || (scope === "listed" && ids.length === 0)) return null;
  return { type: "monitor", scope: scope as Monitor["scope"], hidden: hidden === true, groups: ids };
}

export class Monitored {
  #user: string | null = null;

  constructor(
    private readonly ask: (request: Monitor) => Promise<unknown>,
    /** Monitoring ended against the will of its user: why. */
    private readonly lost: (problem: unknown) => void,
  ) {}

  told(message: ServerMessage): void {
    if (message.type === "welcome") {
      this.#user = message.user.id;
      const kept = restoredMonitor(keptMonitored(this.#user));
      if (kept) void this.#again(kept);
    }
    if (message.type === "monitoring" && this.#user) keepMonitored(this.#user, againOf(message));
  }

  async #again(wanted: Monitor): Promise<void> {
    try {
      await this.ask(wanted);
    } catch (problem) {
      // Without an answer it is asked again after the next welcome.
      if (!(problem instanceof RequestRefused)) return;
      const left = wanted.scope === "listed" ? await stillThere(wanted.groups ?? []) : [];
      if (left.length > 0 && left.length < (wanted.groups?.length ?? 0))
        return this.#again({ ...wanted, groups: left });
      if (this.#user) keepMonitored(this.#user, null);
      this.lost(problem);
    }
  }
}

/** A list is refused as a whole when one of its groups is gone: those that are not. */
async function stillThere(groups: readonly string[]): Promise<string[]> {
  try {
    const there = new Set((await everyGroup()).map(({ id }) => id));
    return groups.filter((id) => there.has(id));
  } catch {
    return [];
  }
}
