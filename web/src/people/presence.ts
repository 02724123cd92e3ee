// Who is there now, asked for every few seconds while a page shows it. Sorting and finding are pure.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../account/authorised";
import type { NotListening, Person } from "../wire/protocol";

export type Present = {
  user: string;
  name: string;
  badge: string;
  online: boolean;
  listening: boolean;
  /** In a call, or on the air, wherever that be. */
  busy: boolean;
  reason: NotListening | null;
  emergency: boolean;
  on_duty: boolean;
  group: string | null;
  talking_in: string | null;
};

export type Listed = Person & { present: Present | null; banned: boolean };
export type Filter = "all" | "online" | "duty" | "emergency";
export const FILTERS: readonly Filter[] = ["all", "online", "duty", "emergency"];

export type News = { mark: string; whole: boolean; people: Present[]; gone: string[] };

const ASK_EVERY_MS = 4000;
/** Nobody is told anew when duty begins, or when one may see others than before. */
const WHOLE_EVERY_MS = 60_000;

export const present = signal<ReadonlyMap<string, Present>>(new Map());
let watchers = 0;
let timer = 0;
let mark = "";
let wholeAt = 0;

/** Keeps `present` fresh while the component is shown. */
export function usePresence(): ReadonlyMap<string, Present> {
  useEffect(() => {
    watchers += 1;
    if (watchers === 1) {
      mark = ""; // somebody else may look now
      void ask();
      timer = window.setInterval(() => void ask(), ASK_EVERY_MS);
    }
    return () => {
      watchers -= 1;
      if (watchers === 0) clearInterval(timer);
    };
  }, []);
  return present.value;
}

async function ask(): Promise<void> {
  if (document.hidden) return;
  try {
    const since = performance.now() - wholeAt < WHOLE_EVERY_MS ? mark : "";
    const news = await authorised<News>("GET", `/presence/news?since=${since}`);
    mark = news.mark;
    if (news.whole) wholeAt = performance.now();
    present.value = after(present.peek(), news);
  } catch {
    // What was known stays; the page's light says that the server is away.
  }
}

/** Who is there, news taken in; the same map when nothing is new. */
export function after(
  known: ReadonlyMap<string, Present>,
  { whole, people, gone }: News,
): ReadonlyMap<string, Present> {
  if (!whole && people.length + gone.length === 0) return known;
  const now = new Map(whole ? [] : known);
  for (const user of gone) now.delete(user);
  for (const one of people) now.set(one.user, one);
  return now;
}

/** Made once: to compare names without it is fifty times the work. */
const byName = new Intl.Collator("zh").compare;

/** As many rows as are drawn at once; the search and the filters find whoever is beyond them. */
export const ROWS = 150;

/** Those who need help first, then who talks, then who is there; within each by name. */
export function arranged(people: readonly Listed[], filter: Filter): Listed[] {
  return people
    .filter((one) => passes(one, filter))
    .sort((a, b) => rank(a) - rank(b) || byName(a.name, b.name));
}

/** The people of the page that are known, with those who are there but not on it. */
export function joined(
  people: readonly (Person & { banned: boolean })[],
  there: ReadonlyMap<string, Present>,
  me: string | undefined,
): Listed[] {
  const listed = people.map((one) => ({ ...one, present: there.get(one.id) ?? null }));
  const known = new Set(people.map(({ id }) => id));
  for (const one of there.values()) {
    if (!known.has(one.user)) {
      listed.push({ id: one.user, name: one.name, badge: one.badge, banned: false, present: one });
    }
  }
  return listed.filter(({ id }) => id !== me);
}

function passes({ present: here }: Listed, filter: Filter): boolean {
  if (filter === "online") return here?.online ?? false;
  if (filter === "duty") return here?.on_duty ?? false;
  if (filter === "emergency") return here?.emergency ?? false;
  return true;
}

function rank({ present: here }: Listed): number {
  if (!here) return 4;
  if (here.emergency) return 0;
  if (here.talking_in) return 1;
  return here.online ? 2 : 3;
}

export type Standing = "emergency" | "talking" | "busy" | "listening" | "deaf" | "offline";

/** What the dot beside a name says. */
export function standing(here: Present | null): Standing {
  if (here?.emergency) return "emergency";
  if (!here?.online) return "offline";
  if (here.talking_in) return "talking";
  if (!here.listening) return "deaf"; // he would not hear, whatever he is in
  return here.busy ? "busy" : "listening";
}
