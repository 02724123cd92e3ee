// Whom a leader reaches: groups, people, an area, or everyone when nothing is picked. Pure.

import type { Recipients } from "../wire/protocol";
import { inside, type Point } from "./geo";

export type Datum = "WGS-84" | "GCJ-02" | "CGCS2000";
export type Place = { user: string; name: string; ageMs: number; at: Point; datum: Datum };

export type Chosen = {
  groups: ReadonlySet<string>;
  users: ReadonlySet<string>;
  ring: readonly Point[] | null;
};

export const nobody: Chosen = { groups: new Set(), users: new Set(), ring: null };

export function everyone(chosen: Chosen): boolean {
  return chosen.groups.size === 0 && chosen.users.size === 0 && chosen.ring === null;
}

export function toggled(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** As the wire wants it; a place counts in the datum most people report in. */
export function recipients(chosen: Chosen, datum: Datum): Recipients {
  if (everyone(chosen)) return { everyone: true };
  return {
    ...(chosen.groups.size ? { groups: [...chosen.groups] } : {}),
    ...(chosen.users.size ? { users: [...chosen.users] } : {}),
    ...(chosen.ring
      ? { area: { ring: chosen.ring.map(([x, y]) => [x, y] as [number, number]), datum } }
      : {}),
  };
}

/** What a plan's recipients are as a choice. */
export function choice(to: Recipients): Chosen {
  return {
    groups: new Set(to.groups ?? []),
    users: new Set(to.users ?? []),
    ring: to.area ? to.area.ring.map(([x, y]) => [x, y] as Point) : null,
  };
}

export function within(places: readonly Place[], ring: readonly Point[] | null): Place[] {
  return ring ? places.filter(({ at }) => inside(ring, at)) : [];
}

/** The datum most places are in: coordinates of another are hundreds of metres off and not shown. */
export function commonDatum(places: readonly Place[]): Datum {
  const counts = new Map<Datum, number>();
  for (const { datum } of places) counts.set(datum, (counts.get(datum) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? "WGS-84";
}
