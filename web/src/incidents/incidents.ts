// The incidents that concern this person, and being switched to one. Pure; the page draws it.

import type { GroupSummary, IncidentSummary, ServerMessage, Switched } from "../wire/protocol";

export type Tap = "accepted" | "on_the_way" | "on_scene" | "done";
export const TAPS: readonly Tap[] = ["accepted", "on_the_way", "on_scene", "done"];
/** How many a page shows: a city files hundreds a day. */
export const SHOWN = 8;

export type Incidents = {
  list: readonly IncidentSummary[];
  /** The server selected a group by rule; one key goes back. */
  switched: Switched | null;
  /** Grows when any incident is different: for who handles them all. */
  turn: number;
};

export const noIncidents: Incidents = { list: [], switched: null, turn: 0 };

export function incidentsTold(before: Incidents, message: ServerMessage): Incidents {
  switch (message.type) {
    case "incidents":
      return { ...before, list: sorted(message.incidents) };
    case "incident_changed": {
      const others = before.list.filter(({ code }) => code !== message.incident.code);
      const stays = message.mine !== false && message.incident.open;
      return { ...before, list: stays ? sorted([...others, message.incident]) : others };
    }
    case "incidents_stirred":
      return { ...before, turn: before.turn + 1 };
    case "switched":
      return { ...before, switched: message };
    case "selected":
      return before.switched?.group.id === message.group.id ? before : { ...before, switched: null };
    default:
      return before;
  }
}

/** The tap that comes next after those reported already; null when all is done. */
export function nextTap(incident: IncidentSummary): Tap | null {
  return TAPS[incident.tap ? TAPS.indexOf(incident.tap) + 1 : 0] ?? null;
}

/** The groups a person chooses from, and those of his open incidents. */
export function withIncidentGroups(groups: GroupSummary[], incidents: Incidents): GroupSummary[] {
  const lasting = groups.filter(({ kind }) => kind !== "incident");
  const open = incidents.list.flatMap(({ group }) => (group ? [group] : []));
  return [...lasting, ...open];
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
