// What a console asks of incidents: the list, one of them with its timeline, and what is done by hand.

import { authorised } from "../../account/authorised";
import type { TextInfo } from "../../wire/protocol";
import type { Tap } from "../incidents";

export type Address = "none" | "open" | "parked" | "closing" | "frozen" | "archived" | "removed";

export type Case = {
  code: string;
  group: string;
  address: Address;
  state: string;
  members: string[];
  names: Record<string, string>;
  online: number;
  listening: number;
  unknown: string[];
  empty: string[];
  links: string[];
  /** User → the event of his last tap. */
  taps: Record<string, string>;
  attention: number;
  lamp: "off" | "green" | "yellow" | "red";
  facts: {
    name: string;
    urgent: boolean;
    supervised: boolean;
    address: string;
    description: string;
    level: string;
    since: number;
  };
};

export type CaseEvent = {
  sequence: number;
  id: string;
  type: string;
  at_ms: number;
  recording: string | null;
  data: Record<string, unknown>;
};

export type Message = {
  number: number;
  at_ms: number;
  user: string;
  name: string;
  kind: "text" | "status" | "callback";
  text: string;
  status: NonNullable<TextInfo["status"]> | null;
};

/** What the case system told once. `version`: digits, perhaps more than a number here holds exactly. */
export type Told = {
  version: string;
  id: string;
  at_ms: number;
  step: string | null;
  state: string | null;
  who: string;
  facts: string[];
};

/** Which cases a list shows. */
export type Which = "live" | "over";
const ADDRESSES: Record<Which, readonly Address[]> = {
  live: ["open", "parked", "closing"],
  over: ["frozen", "archived", "removed"],
};
/** As many as a person looks through; the search finds the others. */
export const LISTED = 60;
export const EVENTS = 500;

const at = (code: string) => `/incidents/${encodeURIComponent(code)}`;

/** Whether the list is not even asked for: each refusal is kept in the audit. Before the welcome no right is known. */
export const isBarred = (rights: readonly string[]) => rights.length > 0 && !rights.includes("incidents");

/** Urgent ones first, then what rules bring forward, then the newest. Rejects with `Problem`. */
export function listed(which: Which, q: string): Promise<Case[]> {
  const query = new URLSearchParams({ sort: "matters", limit: String(LISTED), q });
  for (const address of ADDRESSES[which]) query.append("address", address);
  return authorised("GET", `/incidents?${query}`);
}

export const one = (code: string) => authorised<Case>("GET", at(code));
/** The newest; `Number.MAX_SAFE_INTEGER` stands for the end. */
export const events = (code: string) =>
  authorised<CaseEvent[]>("GET", `${at(code)}/events?before=${Number.MAX_SAFE_INTEGER}&limit=${EVENTS}`);
/** What was written in its group, the newest before number `before`. */
export const texts = (code: string, before?: number) =>
  authorised<{ texts: Message[]; more: boolean }>(
    "GET",
    `${at(code)}/texts${before === undefined ? "" : `?before=${before}`}`,
  );
/** What was told of it and can still be put in order, the last one first. */
export const news = (code: string) => authorised<Told[]>("GET", `${at(code)}/news`);
/** One message: another may carry its version, too. */
export const takeBack = (code: string, { version, id }: Told) =>
  authorised("DELETE", `${at(code)}/news/${version}?${new URLSearchParams({ id })}`);
export const logLink = (code: string) => authorised<{ url: string }>("POST", `${at(code)}/log-link`);
export const link = (code: string, group: string) => authorised<Case>("PUT", `${at(code)}/links`, { group });
export const unlink = (code: string, group: string) =>
  authorised<Case>("DELETE", `${at(code)}/links/${encodeURIComponent(group)}`);
export const tie = (code: string, recording: string) =>
  authorised("POST", `${at(code)}/bursts`, { recording });

const TAP_OF: Record<string, Tap> = {
  "officer.accepted": "accepted",
  "officer.on_the_way": "on_the_way",
  "officer.on_scene": "on_scene",
  "officer.done": "done",
};

/** What each member said he does, those who are furthest first. */
export function crew(found: Case): { id: string; name: string; tap: Tap | null }[] {
  const rank: (Tap | null)[] = ["on_scene", "on_the_way", "accepted", "done", null];
  return found.members
    .map((id) => ({ id, name: found.names[id] ?? id, tap: TAP_OF[found.taps[id] ?? ""] ?? null }))
    .sort((a, b) => rank.indexOf(a.tap) - rank.indexOf(b.tap) || a.name.localeCompare(b.name, "zh-CN"));
}

/** Whom an event names: who spoke or tapped, or who joined and left. */
export function namedIn(event: CaseEvent, name: (user: string) => string): string {
  const { data } = event;
  if (typeof data.name === "string" && data.name) return data.name;
  if (typeof data.user === "string") return name(data.user);
  const listed = (key: string, sign: string) =>
    (Array.isArray(data[key]) ? (data[key] as string[]) : []).map((user) => `${sign}${name(user)}`);
  return [...listed("joined", "+"), ...listed("left", "−")].join(" ");
}
