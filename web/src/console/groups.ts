// The groups of the city that a dispatcher may see, those he is no member of, too.

import { authorised } from "../account/authorised";
import { MAX_PAGE } from "../generated/limits.json";
import type { Named } from "./gathering";

/** All of them, by name, however many pages that takes. Rejects with `Problem`. */
export async function everyGroup(): Promise<Named[]> {
  const all: Named[] = [];
  for (let after = ""; ; ) {
    const { items, next } = await authorised<{ items: Named[]; next?: string | null }>(
      "GET",
      `/groups?limit=${MAX_PAGE}&after=${encodeURIComponent(after)}`,
    );
    all.push(...items);
    if (!next) return all;
    after = next;
  }
}

/** The ids of those that match a word, also by pinyin, which the server knows; the first page of them. Rejects with `Problem`. */
export async function groupsFound(word: string): Promise<ReadonlySet<string>> {
  const query = new URLSearchParams({ limit: String(MAX_PAGE), q: word });
  const { items } = await authorised<{ items: Named[] }>("GET", `/groups?${query}`);
  return new Set(items.map(({ id }) => id));
}
