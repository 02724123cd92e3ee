// Whom a dispatcher brings together: channels, people, an area of the map. What it becomes on the wire is pure.

import type { Point } from "../map/ring";
import type { Request } from "../wire/link";

export type Named = { id: string; name: string };

export type Gathering = {
  /** Groups that are merged. */
  groups: readonly Named[];
  people: readonly Named[];
  /** A closed ring in WGS-84: whoever was seen inside last. */
  ring: readonly Point[] | null;
};

export const gatheredNobody: Gathering = { groups: [], people: [], ring: null };

/** Hours a temporary group may be given; it may end before. */
export const LASTS_HOURS = [1, 2, 4, 8, 12, 24] as const;
const HOUR_S = 3600;

type CallStart = Extract<Request, { type: "call_start" }>;

export function isNobody({ groups, people, ring }: Gathering): boolean {
  return groups.length === 0 && people.length === 0 && ring === null;
}

/** A temporary group (临时组); `hours` null: as long as the operator has set. */
export function temporaryGroup(of: Gathering, name: string, hours: number | null): CallStart {
  return {
    type: "call_start",
    kind: "group",
    groups: of.groups.map(({ id }) => id),
    users: of.people.map(({ id }) => id),
    name: name.trim(),
    ...(of.ring ? { area: { ring: of.ring.map(([x, y]) => [x, y]), datum: "WGS-84" } } : {}),
    ...(hours === null ? {} : { lasts_s: hours * HOUR_S }),
  };
}

/** All of them ring; whoever answers first has the call. */
export function firstToAnswer(people: readonly Named[]): CallStart {
  return {
    type: "call_start",
    kind: "first_to_answer",
    users: people.map(({ id }) => id),
    answering: "manual",
  };
}
