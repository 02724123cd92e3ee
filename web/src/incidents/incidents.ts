// The incidents that concern this person, and being switched to one. Pure; the page draws it.

import type { GroupSummary, IncidentSummary, ServerMessage, Switched } from "../wire/protocol";

type IncidentsList = Extract<ServerMessage, { type: "incidents" }>;
export type Tap = "accepted" | "on_the_way" | "on_scene" | "done";
export const TAPS: readonly Tap[] = ["accepted", "on_the_way", "on_scene", "done"];
/** How many a page shows: a city files hundreds a day. */
export const SHOWN = 8;

/** Why the group of an incident is no place to talk in any more. */
export type Why = "suspended" | "closed" | "void" | "parked" | "not_mine";
/** The incident in whose group this phone was, and the group it went to instead. */
export type Left = { code: string; title: string; why: Why; to: string };

export type Incidents = {
  list: readonly IncidentSummary[];
  /** The server selected a group by rule; one key goes back. */
  switched: Switched | null;
  /** The selected group was taken away: said until the person has seen it, or chooses himself. */
  left: Left | null;
  /** There were others beside those of the list when it was asked for. */
  more: boolean;
  /** Grows when any incident is different: for who handles them all. */
  turn: number;
};

export const noIncidents: Incidents = { list: [], switched: null, left: null, more: false, turn: 0 };

/** `selected`: the group this phone is in. The incident of that one stays listed while there are more than the list holds. */
export function incidentsTold(
  before: Incidents,
  message: ServerMessage,
  selected: string | null = null,
): Incidents {
  switch (message.type) {
    case "incidents":
      return {
        ...before,
        list: sorted([...message.incidents, ...unlisted(before, message, selected)]),
        more: message.more ?? false,
      };
    case "incident_changed": {
      const others = before.list.filter(({ code }) => code !== message.incident.code);
      const stays = message.mine !== false && message.incident.open;
      const back = stays && before.left?.code === message.incident.code;
      const list = stays ? sorted([...others, message.incident]) : others;
      return { ...before, list, left: back ? null : before.left };
    }
    case "incidents_stirred":
      return { ...before, turn: before.turn + 1 };
    case "switched":
      return { ...before, switched: message };
    case "selected": {
      const { id } = message.group;
      const switched = before.switched?.group.id === id ? before.switched : null;
      return { ...before, switched, left: before.left?.to === id ? before.left : null };
    }
    default:
      return before;
  }
}

/**
 * The phone was in the group of an incident of `before` and goes to another one. Null when it was in no such group. `message`:
 * what took the group away; without one this happened while the phone was not connected.
 */
export function leaving(before: Incidents, was: string, to: string, message?: ServerMessage): Left | null {
  const known = before.list.find(({ group }) => group?.id === was);
  if (!known) return null;
  const { code, title } = known;
  const changed = message?.type === "incident_changed" && message.incident.code === code ? message : null;
  if (!changed) return { code, title, why: "parked", to };
  return { code, title, why: whyRests(changed.incident.state, changed.mine !== false), to };
}

/** A case that is closed or void is nobody's any more: how it stands says more than that it is not his. */
function whyRests(state: string, mine: boolean): Why {
  if (state === "evaluated") return "closed";
  if (state === "suspended" || state === "closed" || state === "void") return state;
  return mine ? "parked" : "not_mine";
}

/** The tap that comes next after those reported already; null when all is done. */
export function nextTap(incident: IncidentSummary): Tap | null {
  return TAPS[incident.tap ? TAPS.indexOf(incident.tap) + 1 : 0] ?? null;
}

/** The groups a person chooses from, and those of his open incidents; `kept` is one of an incident that the list does not hold. */
export function withIncidentGroups(
  groups: GroupSummary[],
  incidents: Incidents,
  kept: string | null = null,
): GroupSummary[] {
  const open = incidents.list.flatMap(({ group }) => (group ? [group] : []));
  const listed = new Set(open.map(({ id }) => id));
  const others = groups.filter(({ id, kind }) => kind !== "incident" || (id === kept && !listed.has(id)));
  return [...others, ...open];
}

/**
 * Whether the incident of `group`, in which this phone is, may go on though the list does not hold it: only the first few are
 * listed. `message` is what was told last.
 */
export function goesOnUnlisted(before: Incidents, group: GroupSummary, message: ServerMessage): boolean {
  if (group.kind !== "incident" || !group.may_talk) return false;
  if (message.type === "incidents") return message.more ?? false;
  if (before.list.some((one) => one.group?.id === group.id)) return false;
  if (message.type !== "incident_changed") return true;
  const { incident, mine } = message;
  const over = mine === false || !incident.open;
  const other = before.list.some(({ code }) => code === incident.code);
  return !over || other || (incident.group != null && incident.group.id !== group.id);
}

/** The few a page shows, and the one whose group is selected wherever it stands. */
export function listed({ list }: Incidents, selected: string | null): readonly IncidentSummary[] {
  return list.filter(({ group }, at) => at < SHOWN || (selected !== null && group?.id === selected));
}

function unlisted(
  before: Incidents,
  told: IncidentsList,
  selected: string | null,
): readonly IncidentSummary[] {
  if (!told.more || !selected) return [];
  return before.list.filter(
    ({ code, group }) => group?.id === selected && told.incidents.every((one) => one.code !== code),
  );
}

/** Whether `message` tells of an incident that comes with a tone: new to this phone, or only now worth one. */
export function comesWithTone(before: Incidents, message: ServerMessage): boolean {
  if (message.type !== "incident_changed" || message.mine === false || !message.incident.open) return false;
  const known = before.list.find(({ code }) => code === message.incident.code);
  return message.incident.attention === 1 && (known?.attention ?? 0) === 0;
}

function sorted(incidents: readonly IncidentSummary[]): IncidentSummary[] {
  return [...incidents].sort(
    (a, b) =>
      Number(b.urgent ?? false) - Number(a.urgent ?? false) ||
      (b.attention ?? 0) - (a.attention ?? 0) ||
      (b.since_ms ?? 0) - (a.since_ms ?? 0) ||
      a.code.localeCompare(b.code),
  );
}
