// What an entry of the audit says beyond who, what and to whom, in words.

import { actWords, listed, refusalWords, roleWords, t } from "../../i18n";
import { momentWords, secondsWords } from "../../i18n/moments";
import { type Key, zh } from "../../i18n/zh";
import type { Refusal, Role } from "../../wire/protocol";

export type Entry = {
  seq: number;
  at_ms: number;
  actor: string | null;
  actor_name: string | null;
  action: string;
  refused: boolean;
  reason: string | null;
  target_kind: string;
  target: string;
  target_name: string | null;
  detail: Record<string, unknown>;
  names: Record<string, string>;
  address: string;
  seal: string;
};

/** Said elsewhere in the row, or nothing a reader could use. */
const ELSEWHERE = new Set(["act", "code", "refused", "floor", "call_rules", "hold", "outline"]);

const known = (key: string): Key | null => (Object.hasOwn(zh, key) ? (key as Key) : null);

/** `unit_id` and `starts_ms` are called as `unit` and `starts` are. */
function title(key: string): string {
  const found = known(`detail_${key}`) ?? known(`detail_${key.replace(/_(id|ms)$/, "")}`);
  return found ? t(found) : key;
}

export function kindOf(target: string): string {
  const found = known(`kind_of_${target}`);
  return found ? t(found) : target;
}

/** An id that a server made and nobody can read: what it names is told by its kind alone. */
const MADE = /^[a-z]{1,2}-[a-z0-9]{10,}$/;

/** What it was done to: its name now, else the name the entry has kept, else what can be read. */
export function targetWords(entry: Entry): string {
  const { target, target_name, detail } = entry;
  if (target_name !== null) return target_name;
  if (typeof detail.name === "string" && detail.name) return detail.name;
  return MADE.test(target) || target === entry.target_kind ? "" : target;
}

export function reasonWords(entry: Entry): string {
  return entry.reason === null ? "" : refusalWords(entry.reason as Refusal);
}

/** Each detail as a pair of words; what is empty says nothing. */
export function told(entry: Entry): [title: string, value: string][] {
  const name = targetWords(entry);
  return flat(entry.detail)
    .filter(([key, value]) => !(entry.refused ? ELSEWHERE : ELSEWHERE_DONE).has(key) && !empty(value))
    .filter(([key, value]) => !(key === "name" && value === name))
    .map(([key, value]) => [title(key), valueWords(key, value, entry.names)]);
}

/** How a list was to come, beside what was searched for. */
const MANNERS = new Set(["audio", "order", "limit", "after"]);

/** What was searched for stands beside the rest. */
function flat({ search, ...detail }: Record<string, unknown>): [string, unknown][] {
  const sought = Object.entries((search ?? {}) as Record<string, unknown>);
  return [...sought.filter(([key]) => !MANNERS.has(key)), ...Object.entries(detail)];
}

const ELSEWHERE_DONE = new Set([...ELSEWHERE].filter((key) => key !== "refused"));

function empty(value: unknown): boolean {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

function valueWords(key: string, value: unknown, names: Record<string, string>): string {
  if (Array.isArray(value)) return listed(value.map((each) => valueWords(key, each, names)));
  if (typeof value === "boolean") return t(value ? "admin_yes" : "admin_no");
  if (typeof value === "number") return numberWords(key, value);
  if (typeof value === "object") return JSON.stringify(value);
  const text = String(value);
  if (Object.hasOwn(names, text)) return names[text] ?? text;
  return worded(key, text);
}

function numberWords(key: string, value: number): string {
  if (key === "shortest_ms" || key === "longest_ms") return secondsWords(value);
  return key.endsWith("_ms") ? momentWords(value) : worded(key, String(value));
}

function worded(key: string, text: string): string {
  if (key === "roles") return roleWords(text as Role) ?? text;
  if (key === "action") return actWords(text);
  if (key === "tier" && known(`plan_tier_${text}`)) return t(`plan_tier_${text}` as Key);
  const prefix = key === "kind" ? "admin" : key;
  const found = known(`${prefix}_${text}`) ?? (key === "kind" ? known(`kind_${text}`) : null);
  return found ? t(found) : text;
}
