// The wall of channels: which there are and in what order, and what each shows. Pure; the page draws it.

import type { ParticipantState } from "../floor/model";
import type { Affairs, Brought } from "../wire/affairs";
import { type Floor, heardIn, idleFloor, type Picture } from "../wire/picture";
import type { GroupSnapshot, GroupSummary, Person, Tier } from "../wire/protocol";

export type Channel = {
  id: string;
  name: string;
  kind: GroupSummary["kind"] | "brought" | "monitored";
  mayTalk: boolean;
  members: number;
  /** Set when the server brought this console in: an alert, a call, an emergency. */
  brought: Brought | null;
};

/** What comes and goes, what lasts, what is monitored; what lasts keeps its order, so that hands find it. */
export function channelsOf(
  picture: Picture,
  affairs: Affairs,
  monitored: readonly GroupSnapshot[] = [],
): Channel[] {
  const broughtTo = new Map(affairs.brought.map((one) => [one.group, one]));
  const lasting = picture.groups.map((group) => ({
    id: group.id,
    name: group.name,
    kind: group.kind,
    mayTalk: group.may_talk || (broughtTo.get(group.id)?.mayTalk ?? false),
    members: group.members,
    brought: broughtTo.get(group.id) ?? null,
  }));
  const known = new Set(lasting.map(({ id }) => id));
  const passing = [...broughtTo.values()]
    .filter(({ group }) => !known.has(group))
    .map((one) => ({
      id: one.group,
      name: one.name || partners(affairs, one, picture.user?.id),
      kind: "brought" as const,
      mayTalk: one.mayTalk,
      members: 0,
      brought: one,
    }));
  // Of what is monitored, too, what comes and goes stands last.
  const byStay = [...monitored].sort(
    (a, b) => Number(a.kind === "temporary") - Number(b.kind === "temporary"),
  );
  const beside = byStay
    .filter(({ id }) => !known.has(id) && !broughtTo.has(id))
    .map(({ id, name, members }) => ({
      id,
      name,
      kind: "monitored" as const,
      // Whoever may dispatch talks into groups he is no member of; the server decides.
      mayTalk: picture.rights.includes("dispatch"),
      members,
      brought: null,
    }));
  return [...passing, ...lasting, ...beside];
}

/** Those one is in a call with, by name. */
function partners(affairs: Affairs, one: Brought, me: string | undefined): string {
  const parties = affairs.calls[one.call]?.parties ?? [];
  const others = parties.filter(({ person }) => person.id !== me);
  return others.map(({ person }) => person.name).join("、") || (one.by?.name ?? "");
}

export type Air = {
  state: "idle" | "taken" | "mine" | "asking";
  by: Person | null;
  /** The floor is free again, and the last words of who talked still come. */
  over: boolean;
  /** About when the burst on air began, ms since the epoch by the server's clock. */
  sinceMs: number | null;
  tier: Tier;
  /** My place in the queue, null when I do not wait. */
  position: number | null;
  queued: number;
  last: Floor["last"];
  /** The slot it is heard on, null when it is not. */
  slot: number | null;
};

/** `floors`: every floor this console asks for or has. */
export function airOf(
  picture: Picture,
  affairs: Affairs,
  floors: readonly ParticipantState[],
  group: string,
): Air {
  const floor = picture.floors[group] ?? idleFloor;
  const carried = heardIn(picture, group);
  const phase = floors.find((one) => one.group === group)?.phase ?? null;
  const mine = phase?.name === "has_permission";
  const asking = phase?.name === "pending_request" || phase?.name === "queued";
  const by = mine ? picture.user : (carried?.by ?? (floor.state === "taken" ? floor.by : null));
  const tier = Math.max(
    affairs.conditions[group]?.tier ?? 0,
    carried?.tier ?? 0,
    by ? (floor.tier ?? 0) : 0,
  ) as Tier;
  return {
    state: mine ? "mine" : by ? "taken" : asking ? "asking" : "idle",
    by,
    over: carried?.over === true && floor.state !== "taken",
    sinceMs: by ? (carried?.burst ?? floor.burst) : null,
    tier,
    position: phase?.name === "queued" ? phase.position : null,
    queued: picture.presence[group]?.queued ?? 0,
    last: floor.last,
    slot: carried?.slot ?? null,
  };
}

/** The channel that many steps further, round the ends; the first when there was none. */
export function stepped(channels: readonly Channel[], from: string | null, by: number): string | null {
  if (channels.length === 0) return null;
  const at = channels.findIndex(({ id }) => id === from);
  if (at < 0) return channels[by < 0 ? channels.length - 1 : 0]?.id ?? null;
  return channels[(at + by + channels.length) % channels.length]?.id ?? null;
}

/** The channel a row further, `by` being how many stand in one; the last where that row is shorter; no further than the ends. */
export function steppedRow(channels: readonly Channel[], from: string | null, by: number): string | null {
  const at = channels.findIndex(({ id }) => id === from);
  if (at < 0) return channels[0]?.id ?? null;
  const last = channels.length - 1;
  const isLastRow = Math.floor(at / Math.abs(by)) === Math.floor(last / Math.abs(by));
  const to = at + by > last && !isLastRow ? last : at + by;
  return (channels[to] ?? channels[at])?.id ?? null;
}

/**
 * Those with this word in their name, first those that begin with it, and last those that are `known` to sound like it; without a
 * word none.
 */
export function named(channels: readonly Channel[], word: string, known: ReadonlySet<string>): Channel[] {
  const wanted = word.trim().toLowerCase();
  if (!wanted) return [];
  const rank = ({ id, name }: Channel) => {
    const at = name.toLowerCase().indexOf(wanted);
    return at < 0 ? (known.has(id) ? 2 : 3) : Math.min(at, 1);
  };
  return channels.filter((one) => rank(one) < 3).sort((one, other) => rank(one) - rank(other));
}

/** "0:07" of talk. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
