// What the server has told: groups, floors, who is there, what each slot carries, or still sounds of it. Pure; pages draw it.

import type {
  FloorSnapshot,
  GroupPresence,
  GroupSnapshot,
  GroupSummary,
  Person,
  RecordingDisk,
  Role,
  ServerMessage,
  Slot,
  Welcome,
} from "./protocol";

export type Floor = Pick<FloorSnapshot, "state" | "tier"> & {
  burst: number | null;
  by: Person | null;
  mayRequest: boolean;
  /** Who spoke before, in which burst: the number of a burst is about the ms (since the epoch) at which it began. */
  last: { by: Person; burst: number } | null;
};

export type Presence = Pick<GroupPresence, "members" | "online" | "listening" | "queued" | "monitors">;

/** What is heard on a slot. `over`: the burst has ended, and its last words are still on their way or in a buffer. */
export type Carried = Slot & { over?: boolean };

export type Picture = {
  user: Person | null;
  roles: Role[];
  rights: string[];
  groups: GroupSummary[];
  selected: string | null;
  floors: Readonly<Record<string, Floor>>;
  presence: Readonly<Record<string, Presence>>;
  slots: readonly Carried[];
  /** Group → the burst that was on air when this phone came; its start was not heard. */
  late: Readonly<Record<string, number>>;
  /** The server cannot reach the other nodes of the city: only its own phones are heard here. */
  isolated: boolean;
  /** How the recorder's disk is; who may not replay everything is not told. */
  disk: RecordingDisk["state"];
};

export const blank: Picture = {
  user: null,
  roles: [],
  rights: [],
  groups: [],
  selected: null,
  floors: {},
  presence: {},
  slots: [],
  late: {},
  isolated: false,
  disk: "ok",
};

export const idleFloor: Floor = {
  state: "idle",
  burst: null,
  by: null,
  tier: 0,
  mayRequest: true,
  last: null,
};

/** The burst of a group that ended last, as far as it is known: what was said in it can be heard again. */
export function lastEnded(floor: Floor | undefined): number | null {
  return (floor?.state === "idle" ? floor.burst : floor?.last?.burst) ?? null;
}

/** Who is heard in a group, if anybody: who talks there rather than one whose last words still come. */
export function heardIn({ slots }: Picture, group: string | null): Carried | null {
  const there = slots.filter((slot) => slot.group === group);
  return there.find(({ over }) => !over) ?? there[0] ?? null;
}

/** The last word on a slot was heard; nothing, if another burst sounds there meanwhile. */
export function fellSilent(before: Picture, slot: number): Picture {
  return { ...before, slots: before.slots.filter((one) => one.slot !== slot || !one.over) };
}

export function welcomed(before: Picture, welcome: Welcome): Picture {
  const kept = welcome.resumed ? before : { ...before, floors: {}, slots: [] };
  return {
    ...kept,
    user: welcome.user,
    roles: welcome.roles,
    rights: welcome.rights,
    groups: inPlace(before.groups, welcome.groups),
    selected: welcome.selected ?? null,
    isolated: false,
    disk: "ok",
  };
}

export function told(before: Picture, message: ServerMessage): Picture {
  switch (message.type) {
    case "isolated":
      return { ...before, isolated: message.isolated };
    case "recording_disk":
      return { ...before, disk: message.state };
    case "selected":
      return withGroup(before, message.group);
    case "groups": {
      const held = before.groups.filter(
        ({ id, kind }) => kind === "incident" && message.groups.every((group) => group.id !== id),
      );
      const groups = [...inPlace(before.groups, message.groups), ...held];
      return { ...before, groups, selected: message.selected ?? null };
    }
    case "group_presence": {
      const { group, members, online, listening, queued, monitors } = message;
      const presence = { members, online, listening, queued: queued ?? 0, monitors: monitors ?? [] };
      return { ...before, presence: { ...before.presence, [group]: presence } };
    }
    case "switched":
      return withGroup(before, message.group);
    case "monitoring": {
      const { selected } = before;
      return { ...message.groups.reduce(withGroup, before), selected };
    }
    case "brought_in": {
      const { selected } = before;
      return { ...withGroup(before, message.group), selected };
    }
    case "slot":
      return { ...before, slots: withSlot(before.slots, message) };
    case "floor_taken":
      return withFloor(before, message.group, {
        state: "taken",
        burst: message.burst,
        by: message.by,
        tier: message.tier ?? 0,
        mayRequest: message.may_request ?? true,
      });
    case "floor_granted":
      return withFloor(before, message.group, {
        state: "taken",
        burst: message.burst,
        by: before.user,
        tier: 0,
        mayRequest: true,
      });
    case "floor_idle": {
      const known = before.floors[message.group];
      // The end of a burst that another has already followed tells nothing.
      if (known?.burst && message.burst && message.burst < known.burst) return before;
      return withFloor(before, message.group, { ...idleFloor, burst: message.burst ?? null });
    }
    default:
      return before;
  }
}

/** Those that were there keep their order, and a new one comes last: keys that go by place must not move under a hand. */
function inPlace(before: readonly GroupSummary[], now: readonly GroupSummary[]): GroupSummary[] {
  const place = new Map(before.map(({ id }, at) => [id, at]));
  const at = ({ id }: GroupSummary) => place.get(id) ?? before.length;
  return [...now].sort((one, other) => at(one) - at(other));
}

/** The group to open with: the one wanted, else the first in which one may talk. */
export function firstGroup(groups: readonly GroupSummary[], wanted: string | null): GroupSummary | undefined {
  return (
    groups.find(({ id }) => id === wanted) ??
    groups.find(({ may_talk, kind }) => may_talk && kind !== "broadcast") ??
    groups[0]
  );
}

function withGroup(before: Picture, group: GroupSnapshot): Picture {
  const { floor, members, online, listening } = group;
  const next = withFloor(before, group.id, {
    state: floor.state,
    burst: floor.burst ?? null,
    by: floor.by ?? null,
    tier: floor.tier ?? 0,
    mayRequest: true,
  });
  const late = floor.state !== "idle" && floor.burst && floor.by?.id !== before.user?.id;
  const heardBefore = before.floors[group.id]?.burst === floor.burst;
  return {
    ...next,
    late: late && !heardBefore ? { ...next.late, [group.id]: floor.burst ?? 0 } : next.late,
    selected: group.id,
    presence: {
      ...next.presence,
      [group.id]: { members, online, listening, queued: floor.queue ?? 0, monitors: [] },
    },
  };
}

function withFloor(before: Picture, group: string, floor: Omit<Floor, "last">): Picture {
  const was = before.floors[group];
  const over = floor.state === "idle" || was?.burst !== floor.burst;
  const last = over && was?.by && was.burst ? { by: was.by, burst: was.burst } : (was?.last ?? null);
  return { ...before, floors: { ...before.floors, [group]: { ...floor, last } } };
}

function withSlot(slots: readonly Carried[], slot: Slot): readonly Carried[] {
  if (!slot.burst) return slots.map((one) => (one.slot === slot.slot ? { ...one, over: true } : one));
  const others = slots.filter((other) => other.slot !== slot.slot);
  return [...others, slot].sort((a, b) => a.slot - b.slot);
}
