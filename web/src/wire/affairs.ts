// What goes on beside the groups a person chose: alerts, calls, broadcasts, and what the server brought this phone into. Pure.

import type {
  Alert,
  Broadcast,
  BroadcastTally,
  BroughtIn,
  Call,
  CallRinging,
  GroupSnapshot,
  Person,
  ServerMessage,
  SosRules,
  Tier,
} from "./protocol";

/** A group that is heard and talked in because the server says so, newest first. */
export type Brought = {
  group: string;
  name: string;
  by: Person | null;
  why: "call" | "alert" | "emergency" | "broadcast";
  tier: Tier;
  mayTalk: boolean;
  /** Its id, for leaving it. */
  call: string;
  /** How its floor stood when the phone came in. */
  floor: GroupSnapshot["floor"] | null;
};

export type Affairs = {
  alerts: Readonly<Record<string, Alert>>;
  brought: readonly Brought[];
  calls: Readonly<Record<string, Call>>;
  ringing: readonly CallRinging[];
  /** Why the last call came to nothing or was ended by another, until the next one. */
  ended: { call: string; words: string } | null;
  broadcasts: Readonly<Record<string, Broadcast>>;
  tallies: Readonly<Record<string, BroadcastTally>>;
  /** Group → its emergency condition, while it has one. */
  conditions: Readonly<Record<string, { tier: Tier; by: Person | null }>>;
  /** The calls by which this phone is listened to (远程激活). */
  listenedToBy: readonly string[];
  /** Why this person may not talk (禁呼), while that is so. */
  banned: { by: Person | null; reason: string } | null;
  /** How the SOS key works here; null before the server said so. */
  sos: SosRules | null;
};

export const nothingGoesOn: Affairs = {
  alerts: {},
  brought: [],
  calls: {},
  ringing: [],
  ended: null,
  broadcasts: {},
  tallies: {},
  conditions: {},
  listenedToBy: [],
  banned: null,
  sos: null,
};

const GONE = new Set(["withdrawn", "expired"]);
/** Ends that nobody need be told: somebody in the call wanted them, or it was over. */
const EXPECTED = new Set(["", "hung_up", "cancelled", "inactivity", "broadcast_over"]);
export const OPEN = new Set(["raised", "claimed", "acknowledged"]);

export function affairsTold(before: Affairs, message: ServerMessage): Affairs {
  switch (message.type) {
    case "alert": {
      const known = before.alerts[message.alert.id];
      if (known && (known.alert.version ?? 1) > (message.alert.version ?? 1)) return before;
      return { ...before, alerts: { ...before.alerts, [message.alert.id]: message } };
    }
    case "brought_in":
      return { ...before, brought: withBrought(before.brought, fromServer(message)) };
    case "brought_out":
      return { ...before, brought: before.brought.filter(({ call }) => call !== message.call) };
    case "call":
      return {
        ...before,
        calls: { ...before.calls, [message.call]: message },
        ended: null,
        ringing: before.ringing.filter(({ call }) => call !== message.call),
        brought: withBrought(before.brought, fromCall(message)),
      };
    case "call_ringing":
      return {
        ...before,
        ringing: [...before.ringing.filter(({ call }) => call !== message.call), message],
      };
    case "call_stopped":
      return { ...before, ringing: before.ringing.filter(({ call }) => call !== message.call) };
    case "call_ended": {
      const { [message.call]: _over, ...calls } = before.calls;
      return {
        ...before,
        calls,
        ended:
          message.message && !EXPECTED.has(message.end ?? "")
            ? { call: message.call, words: message.message }
            : null,
        ringing: before.ringing.filter(({ call }) => call !== message.call),
        brought: before.brought.filter(({ call }) => call !== message.call),
      };
    }
    case "ambient_on":
      return {
        ...before,
        listenedToBy: [...before.listenedToBy.filter((call) => call !== message.call), message.call],
      };
    case "ambient_off":
      return { ...before, listenedToBy: before.listenedToBy.filter((call) => call !== message.call) };
    case "talk_banned": {
      const { banned, by, reason } = message;
      return { ...before, banned: banned ? { by: by ?? null, reason: reason ?? "" } : null };
    }
    case "sos_rules":
      return { ...before, sos: message };
    case "broadcast": {
      const { [message.broadcast.id]: _was, ...others } = before.broadcasts;
      if (GONE.has(message.broadcast.state ?? "")) return { ...before, broadcasts: others };
      return { ...before, broadcasts: { ...others, [message.broadcast.id]: message } };
    }
    case "broadcast_tally":
      return { ...before, tallies: { ...before.tallies, [message.broadcast]: message } };
    case "emergency_state": {
      const { [message.group]: _was, ...others } = before.conditions;
      if (message.tier === 0) return { ...before, conditions: others };
      return {
        ...before,
        conditions: { ...others, [message.group]: { tier: message.tier, by: message.by ?? null } },
      };
    }
    default:
      return before;
  }
}

/** Alerts that still need somebody, the most urgent first, then the oldest. */
export function openAlerts(affairs: Affairs): Alert[] {
  return Object.values(affairs.alerts)
    .filter(({ alert }) => OPEN.has(alert.state))
    .sort((a, b) => (b.alert.tier ?? 2) - (a.alert.tier ?? 2) || a.alert.raised_ms - b.alert.raised_ms);
}

/** Where a press goes that names no group: into what is most urgent of what one was brought into. */
export function broughtToTalk(affairs: Affairs): Brought | null {
  const able = affairs.brought.filter(({ mayTalk }) => mayTalk);
  return [...able].sort((a, b) => b.tier - a.tier)[0] ?? null;
}

function withBrought(before: readonly Brought[], one: Brought): readonly Brought[] {
  return [one, ...before.filter(({ call }) => call !== one.call)];
}

function fromServer(message: BroughtIn): Brought {
  return {
    group: message.group.id,
    name: message.group.name,
    by: message.by,
    why: message.why,
    tier: message.tier,
    mayTalk: message.may_talk,
    call: message.call,
    floor: message.group.floor,
  };
}

function fromCall(call: Call): Brought {
  return {
    group: call.group,
    name: call.name,
    by: call.by,
    why: "call",
    tier: call.tier ?? 0,
    mayTalk: call.phase === "running" && call.kind !== "ambient",
    call: call.call,
    floor: null,
  };
}
