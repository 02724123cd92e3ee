// What the leader's page asks over HTTP: last known places, grid cells, plans, reports, recorded messages.

import { freshToken } from "../account/account";
import { Problem } from "../account/api";
import { authorised } from "../account/authorised";
import type { Datum } from "../map/datum";
import type { Cell } from "../map/places";
import { drawn } from "../map/ring";
import type { PlaceNews } from "../map/told";
import type { BroadcastInfo, BroadcastKind, Person, Recipients, Refusal, Tier } from "../wire/protocol";
import type { Place } from "./targets";

const CELLS_AT_ONCE = 200;
const MOST_CELLS = 4_000;

type CellOut = Cell & { datum: Datum };

export type Starts =
  | {
      what: "broadcast";
      to: Recipients;
      kind: BroadcastKind;
      tier: Tier;
      text: string;
      message?: string | null;
      acknowledge?: boolean;
      exercise?: boolean;
      expires_s?: number;
    }
  | { what: "call"; to: Recipients; tier: Tier; name: string };
export type Plan = { id: string; name: string; unit: string; starts: Starts; version: number };

export type State = "sent" | "delivered" | "heard" | "acknowledged" | "missed";
export type ReceiptRow = {
  person: Person;
  state: State | null;
  sent_ms: number | null;
  delivered_ms: number | null;
  heard_ms: number | null;
  acknowledged_ms: number | null;
};
export type Report = { broadcast: BroadcastInfo; counts: Record<string, number>; receipts: ReceiptRow[] };

/** Those of `news`, as the map of this page draws them. */
export async function places(news: PlaceNews): Promise<Place[]> {
  const [found, now] = [await news.ask(), Date.now()];
  return found.map(({ user, name, seen_ms, position }) => ({
    user,
    name,
    ageMs: now - seen_ms,
    at: drawn([position.longitude, position.latitude], position.datum),
  }));
}

export async function cells(): Promise<Cell[]> {
  const all: Cell[] = [];
  for (let after = ""; all.length < MOST_CELLS; ) {
    const page = await authorised<{ items: CellOut[]; next: string | null }>(
      "GET",
      `/cells?limit=${CELLS_AT_ONCE}&after=${encodeURIComponent(after)}`,
    );
    for (const { code, name, outline, datum } of page.items) {
      if (outline.length > 2) all.push({ code, name, outline: outline.map((point) => drawn(point, datum)) });
    }
    if (!page.next) break;
    after = page.next;
  }
  return all;
}

export const plans = {
  list: () => authorised<Plan[]>("GET", "/plans"),
  create: (name: string, starts: Starts) => authorised<Plan>("POST", "/plans", { name, starts }),
  update: ({ id, version, unit }: Plan, name: string, starts: Starts) =>
    authorised<Plan>("PUT", `/plans/${id}`, { name, unit, starts }, { "if-match": `"${version}"` }),
  remove: ({ id, version }: Plan) =>
    authorised<null>("DELETE", `/plans/${id}`, undefined, { "if-match": `"${version}"` }),
};

export const broadcasts = () =>
  authorised<{ broadcasts: BroadcastInfo[] }>("GET", "/broadcasts?limit=30").then(
    (found) => found.broadcasts,
  );

export const report = (id: string) => authorised<Report>("GET", `/broadcasts/${encodeURIComponent(id)}`);

/** Keeps a recorded message; resolves to its id. Rejects with `Problem`. */
export async function keepMessage(wav: Blob): Promise<string> {
  let response: Response;
  try {
    response = await fetch("/api/v1/messages", {
      method: "POST",
      headers: { authorization: `Bearer ${await freshToken()}`, "content-type": "audio/wav" },
      body: wav,
    });
  } catch {
    throw new Problem("unreachable", 0);
  }
  const answer = (await response.json().catch(() => ({}))) as { message?: string; code?: Refusal };
  if (response.ok && answer.message) return answer.message;
  throw new Problem(answer.code ?? "unavailable", response.status);
}
