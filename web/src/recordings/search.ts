// Searching what was said, and having it exported.

import { freshToken } from "../account/account";
import { authorised } from "../account/authorised";
import type { Recording } from "./recordings";

/** What a person fills in; empty is anything. Times as `<input type="datetime-local">` gives them. */
export type Wanted = {
  group: string;
  user: string;
  incident: string;
  from: string;
  until: string;
  tier: string;
  /** Seconds. */
  shortest: string;
  longest: string;
  /** West, south, east, north in degrees. */
  area: string;
};

export const anything: Wanted = {
  group: "",
  user: "",
  incident: "",
  from: "",
  until: "",
  tier: "",
  shortest: "",
  longest: "",
  area: "",
};

const PAGE = 100;

/** As the server takes it. */
export function asked(wanted: Wanted): Record<string, string | number> {
  const ms = (time: string) => (time ? new Date(time).getTime() : "");
  const seconds = (length: string) => (length ? Math.round(Number(length) * 1000) : "");
  const all = {
    group: wanted.group,
    user: wanted.user,
    incident: wanted.incident.trim(),
    from_ms: ms(wanted.from),
    until_ms: ms(wanted.until),
    tier: wanted.tier ? Number(wanted.tier) : "",
    shortest_ms: seconds(wanted.shortest),
    longest_ms: seconds(wanted.longest),
    area: wanted.area.replaceAll(/\s/g, ""),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== "" && !Number.isNaN(value)),
  ) as Record<string, string | number>;
}

/** Whether it says whose or which voice an export is to hold: not of a whole city for all time. */
export function nameable({ incident, group, user, from, until }: Wanted): boolean {
  return Boolean(incident.trim() || group || user || (from && until));
}

/** What of it photos and notes are found by, too; null where a tier or a length is wanted, which only voice has. */
export function askedOfPhotos(wanted: Wanted): Record<string, string | number> | null {
  const { tier, shortest_ms, longest_ms, ...rest } = asked(wanted);
  return [tier, shortest_ms, longest_ms].every((value) => value === undefined) ? rest : null;
}

export type Found = { recordings: Recording[]; next: string | null };

/** The newest first; `after` is the `next` of the page before. Rejects with `Problem`. */
export function search(wanted: Wanted, after: string | null = null): Promise<Found> {
  const query = new URLSearchParams({ limit: String(PAGE) });
  for (const [name, value] of Object.entries(asked(wanted))) query.set(name, String(value));
  if (after) query.set("after", after);
  return authorised<Found>("GET", `/recordings?${query}`);
}

type Export = { id: string; state: "making" | "ready" | Unmade; detail: string };

/** Why there is no export: it would hold too much, the disk did not take it, or another reason. */
export type Unmade = "too_large" | "disk" | "failed";

export class NotExported extends Error {
  readonly why: Unmade;

  constructor(why: Unmade) {
    super(why);
    this.why = why;
  }
}

const LOOK_EVERY_MS = 1_000;

/** Orders an export and waits for it; resolves to a link to the ZIP. Rejects with `Problem` or `NotExported`. */
export async function exported(wanted: Wanted, title: string): Promise<string> {
  let made = await authorised<Export>("POST", "/exports", { title, search: asked(wanted), mp3: true });
  while (made.state === "making") {
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
    made = await authorised<Export>("GET", `/exports/${made.id}`);
  }
  if (made.state !== "ready") throw new NotExported(made.state);
  const response = await fetch(`/api/v1/exports/${made.id}/file`, {
    headers: { authorization: `Bearer ${await freshToken()}` },
  });
  if (!response.ok) throw new Error(String(response.status));
  return URL.createObjectURL(await response.blob());
}
