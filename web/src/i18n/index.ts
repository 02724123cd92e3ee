// The language of the page, and its words. Refusals and roles come from the server's own list.

import { signal } from "@preact/signals";
import words from "../generated/words.json";
import type { Refusal, Role } from "../wire/protocol";
import { en } from "./en";
import { type Key, zh } from "./zh";

export type Language = "zh-CN" | "en";

const KEPT = "poc.language";
const dictionaries: Record<Language, Record<Key, string>> = { "zh-CN": zh, en };

export const language = signal<Language>(initial());

function initial(): Language {
  return typeof localStorage !== "undefined" && localStorage.getItem(KEPT) === "en" ? "en" : "zh-CN";
}

export function setLanguage(to: Language): void {
  localStorage.setItem(KEPT, to);
  language.value = to;
  document.documentElement.lang = to;
}

/** The words of `key`, with `{name}` and its like filled in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return filled(dictionaries[language.value][key], values);
}

/** The words of `key`, which a newer server may have made; those of `otherwise` where this page has none. */
export function known(key: string, otherwise: Key): string {
  return t(Object.hasOwn(zh, key) ? (key as Key) : otherwise);
}

export function filled(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function refusalWords(code: Refusal | "unreachable"): string {
  return code === "unreachable" ? t("unreachable") : (words.refusals[code]?.[language.value] ?? code);
}

type StatusWord = keyof typeof words.statuses;

export function statusWords(status: StatusWord): string {
  return words.statuses[status][language.value];
}

export function roleWords(role: Role): string {
  return words.roles[role]?.[language.value] ?? role;
}

/** The words of an act of the audit; what a newer server calls by a name unknown here is shown as that name. */
export function actWords(act: string): string {
  const found = words.acts[act as keyof typeof words.acts];
  return found?.[language.value] ?? act;
}

export const ACTS: readonly string[] = Object.keys(words.acts);

/** Several things in one line. */
export function listed(things: readonly string[]): string {
  return things.join(language.value === "en" ? ", " : "、");
}
