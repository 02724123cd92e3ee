// Whom a leader reaches: groups, people, an area, or everyone when nothing is picked. Pure.

import { drawn, inside, type Point } from "../map/ring";
import type { Recipients } from "../wire/protocol";

/** `at`: in WGS-84, as all that is drawn on the map. */
export type Place = { user: string; name: string; ageMs: number; at: Point };

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

/** As the wire wants it. */
export function recipients(chosen: Chosen): Recipients {
  if (everyone(chosen)) return { everyone: true };
  return {
    ...(chosen.groups.size ? { groups: [...chosen.groups] } : {}),
    ...(chosen.users.size ? { users: [...chosen.users] } : {}),
    ...(chosen.ring
      ? { area: { ring: chosen.ring.map(([x, y]) => [x, y] as [number, number]), datum: "WGS-84" } }
      : {}),
  };
}

/** What a plan's recipients are as a choice. */
export function choice(to: Recipients): Chosen {
  return {
    groups: new Set(to.groups ?? []),
    users: new Set(to.users ?? []),
    ring: to.area ? to.area.ring.map(([x, y]) => drawn([x, y] as Point, to.area?.datum ?? "WGS-84")) : null,
  };
}

export function within(places: readonly Place[], ring: readonly Point[] | null): Place[] {
  return ring ? places.filter(({ at }) => inside(ring, at)) : [];
}
