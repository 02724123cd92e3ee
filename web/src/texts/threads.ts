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

type Told = Extract<ServerMessage, { type: "threads" }>["threads"][number];

export type Threads = Readonly<Record<string, Thread>>;

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
      return message.threads.reduce(named, start);
    }
    case "threads":
      return message.threads.reduce(answered, before);
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

/** A thread as the server tells it. */
function named(threads: Threads, told: Told): Threads {
  const { group_name, person, unread, last } = told;
  const where = whereToldOf(told);
  const known = threads[keyOf(where)] ?? empty(where);
  return put(threads, {
    ...known,
    person: person ?? known.person,
    groupName: group_name || known.groupName,
    unread,
    last: newer(known.last, last ?? null),
  });
}

/** A thread that was asked for: what came, or was read, since then counts as the page counted it. */
function answered(threads: Threads, told: Told): Threads {
  const known = threads[keyOf(whereToldOf(told))];
  const isBehind = (known?.last?.number ?? -1) >= (told.last?.number ?? 0);
  return named(threads, isBehind && known ? { ...told, unread: known.unread } : told);
}

function whereToldOf({ group, person }: Pick<Told, "group" | "person">): Where {
  return group ? { group } : { user: person?.id ?? "" };
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
