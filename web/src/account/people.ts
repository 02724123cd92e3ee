// The people one can see and call.

import { MAX_PAGE } from "../generated/limits.json";
import type { Person } from "../wire/protocol";
import { authorised } from "./authorised";

export type Contact = Person & { banned: boolean };
type Row = { id: string; name: string; badge?: string; talk_banned?: boolean };

/** By name, badge or pinyin; the first page of them. */
export async function colleagues(word = ""): Promise<Contact[]> {
  const query = new URLSearchParams({ limit: String(MAX_PAGE), ...(word ? { q: word } : {}) });
  const { items } = await authorised<{ items: Row[] }>("GET", `/people?${query}`);
  return items.map(({ id, name, badge, talk_banned }) => ({
    id,
    name,
    badge: badge ?? "",
    banned: talk_banned ?? false,
  }));
}

/** Whether this person may not talk at present. */
export async function talkBanned(user: string): Promise<boolean> {
  return (await authorised<Row>("GET", `/people/${user}`)).talk_banned ?? false;
}
