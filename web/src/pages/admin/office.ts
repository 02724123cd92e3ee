// What every part of the administration needs: what one may do, and the tree of units.

import { signal } from "@preact/signals";
import { Problem } from "../../account/api";
import { authorised } from "../../account/authorised";
import { refusalWords, t } from "../../i18n";

export type Unit = { id: string; name: string; parent: string | null };

type Named = { id: string; name: string };

/** One's own agency. */
export const agency = signal<Named | null>(null);
export const rights = signal<readonly string[]>([]);
export const units = signal<readonly Unit[]>([]);
/** One's own unit: what is planned for below it is one's to plan. */
export const ownUnit = signal<string | null>(null);

export const may = (...any: readonly string[]) => any.some((right) => rights.value.includes(right));

export async function open(): Promise<void> {
  const me = await authorised<{ rights: string[]; agency: Named; units: Named[] }>("GET", "/me");
  rights.value = me.rights;
  agency.value = me.agency;
  ownUnit.value = me.units[0]?.id ?? null;
  await readUnits();
}

export async function readUnits(): Promise<void> {
  units.value = await authorised<Unit[]>("GET", "/units");
}

/** Every unit below its parent, siblings by name. */
export function tree(list: readonly Unit[]): { unit: Unit; depth: number }[] {
  const known = new Set(list.map((unit) => unit.id));
  const below = (parent: string | null, depth: number): { unit: Unit; depth: number }[] =>
    list
      .filter((unit) => (unit.parent !== null && known.has(unit.parent) ? unit.parent : null) === parent)
      .sort((a, b) => a.name.localeCompare(b.name, "zh-CN"))
      .flatMap((unit) => [{ unit, depth }, ...below(unit.id, depth + 1)]);
  return below(null, 0);
}

export function unitName(id: unknown): string {
  return units.value.find((unit) => unit.id === id)?.name ?? "";
}

/** A unit and all below it: where it cannot be moved to. */
export function subtree(id: string, list: readonly Unit[] = units.value): Set<string> {
  const found = new Set([id]);
  for (const { unit } of tree(list)) if (unit.parent !== null && found.has(unit.parent)) found.add(unit.id);
  return found;
}

/** Those of a unit and below it, and the others; without a unit (one plans for all) there are no others. */
export function parted<T extends { unit: string }>(
  people: readonly T[],
  unit: string | undefined,
  list: readonly Unit[] = units.value,
): [within: T[], others: T[]] {
  const reached = unit === undefined ? null : subtree(unit, list);
  const within = people.filter((each) => reached?.has(each.unit) ?? true);
  return [within, people.filter((each) => !within.includes(each))];
}

/** What to say to the person when something was refused. */
export function wordsOf(problem: unknown): string {
  if (!(problem instanceof Problem)) return refusalWords("unreachable");
  return problem.code === "stale" ? t("admin_look_again") : refusalWords(problem.code);
}
