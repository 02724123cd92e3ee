// Written messages as this page knows them: one thread for each group and each person, what waits, what was said. Pure.

import type { Person, ServerMessage, TextInfo } from "../wire/protocol";

/** Where something is written: in a group, or between two people. */
export type Where = { group: string } | { user: string };

export type Thread = {
  key: string;
  where: Where;
  /** The one it is with; a group is named by the page. */
  person: Person | null;
  groupName: string;
  unread: number;
  last: TextInfo | null;
  /** Oldest first; what was fetched or came since. */
  messages: readonly TextInfo[];
  /** Older ones can be asked for. */
  more: boolean;
};

export type Threads = Readonly<Record<string, Thread>>;

/** What the list shows of a thread. */
export type Listed = Pick<Thread, "where" | "person" | "groupName" | "last">;

/** As many of the latest threads are kept for a page that is loaded anew. */
export const MOST_KEPT = 50;

export function keyOf(where: Where): string {
  return "group" in where ? `g:${where.group}` : `p:${where.user}`;
}

export function empty(where: Where): Thread {
  return {
    key: keyOf(where),
    where,
    person: null,
    groupName: "",
    unread: 0,
    last: null,
    messages: [],
    more: true,
  };
}

/** The thread a message belongs to, as the one reads it who is `me`. */
export function whereOf(message: TextInfo, me: string | null): Where {
  if (message.group) return { group: message.group };
  return { user: message.by.id === me ? (message.to?.id ?? "") : message.by.id };
}

export function textsTold(before: Threads, message: ServerMessage, me: string | null): Threads {
  switch (message.type) {
    case "text_unread": {
      const start = message.all ? quiet(before) : before;
      return message.threads.reduce((threads, { group, group_name, person, unread, last }) => {
        const where = group ? { group } : { user: person?.id ?? "" };
        const known = threads[keyOf(where)] ?? empty(where);
        return put(threads, {
          ...known,
          person: person ?? known.person,
          groupName: group_name || known.groupName,
          unread,
          last: newer(known.last, last ?? null),
        });
      }, start);
    }
    case "texted":
    case "text_kept":
      return withMessage(before, message.message, me);
    default:
      return before;
  }
}

/** A page of older messages came. */
export function withPage(before: Threads, where: Where, page: readonly TextInfo[], more: boolean): Threads {
  const known = before[keyOf(where)] ?? empty(where);
  const messages = merged(known.messages, page);
  return put(before, {
    ...known,
    person: known.person ?? partner(page, where),
    messages,
    more,
    last: newer(known.last, messages.at(-1) ?? null),
  });
}

export function read(before: Threads, where: Where): Threads {
  const known = before[keyOf(where)];
  return known && known.unread > 0 ? put(before, { ...known, unread: 0 }) : before;
}

export function unreadIn(threads: Threads, where: Where): number {
  return threads[keyOf(where)]?.unread ?? 0;
}

export function unreadOf(threads: Threads): number {
  return Object.values(threads).reduce((sum, { unread }) => sum + unread, 0);
}

/** Those with something said, the latest first. */
export function sorted(threads: Threads): Thread[] {
  return Object.values(threads)
    .filter(({ last }) => last !== null)
    .sort((a, b) => (b.last?.at_ms ?? 0) - (a.last?.at_ms ?? 0));
}

/** What the page keeps of its list, read or not: the server names, after a welcome, only what waits. */
export function listed(threads: Threads): Listed[] {
  return sorted(threads)
    .slice(0, MOST_KEPT)
    .map(({ where, person, groupName, last }) => ({ where, person, groupName, last }));
}

/** What was kept comes below what is known now; a group that nobody names any more is left out. */
export function restored(before: Threads, kept: unknown, groups: readonly string[]): Threads {
  const found = (Array.isArray(kept) ? kept.filter(isListed) : []).slice(0, MOST_KEPT);
  const named = found.filter(
    ({ where, person, groupName }) =>
      person || groupName || ("group" in where && groups.includes(where.group)),
  );
  const threads = named.map((one) => ({ ...empty(one.where), ...one }));
  return { ...Object.fromEntries(threads.map((one) => [one.key, one])), ...before };
}

/** Others may have written to the same storage. */
function isListed(found: unknown): found is Listed {
  const { where, person, groupName, last } = (found ?? {}) as Record<keyof Listed, unknown>;
  const { group, user } = (where ?? {}) as Record<string, unknown>;
  const { text, number, at_ms, by } = (last ?? {}) as Record<string, unknown>;
  return (
    (typeof group === "string" || typeof user === "string") &&
    (person === null || isPerson(person)) &&
    typeof groupName === "string" &&
    [typeof text, typeof number, typeof at_ms].join() === "string,number,number" &&
    isPerson(by)
  );
}

function isPerson(found: unknown): found is Person {
  const { id, name } = (found ?? {}) as Partial<Person>;
  return typeof id === "string" && typeof name === "string";
}

function withMessage(before: Threads, message: TextInfo, me: string | null): Threads {
  const where = whereOf(message, me);
  const known = before[keyOf(where)] ?? empty(where);
  // The same again, or one's own from another device, is no news.
  const news = message.by.id !== me && message.number > (known.last?.number ?? -1);
  return put(before, {
    ...known,
    person: known.person ?? partner([message], where),
    unread: known.unread + (news ? 1 : 0),
    last: newer(known.last, message),
    messages: merged(known.messages, [message]),
  });
}

function partner(messages: readonly TextInfo[], where: Where): Person | null {
  if ("group" in where) return null;
  for (const { by, to } of messages) {
    if (by.id === where.user) return by;
    if (to?.id === where.user) return to;
  }
  return null;
}

function merged(known: readonly TextInfo[], more: readonly TextInfo[]): readonly TextInfo[] {
  const all = new Map([...known, ...more].map((one) => [one.id, one]));
  return [...all.values()].sort((a, b) => a.number - b.number);
}

function newer(a: TextInfo | null, b: TextInfo | null): TextInfo | null {
  if (!a || !b) return a ?? b;
  return b.number >= a.number ? b : a;
}

function quiet(threads: Threads): Threads {
  return Object.fromEntries(Object.entries(threads).map(([key, one]) => [key, { ...one, unread: 0 }]));
}

function put(threads: Threads, one: Thread): Threads {
  return { ...threads, [one.key]: one };
}
