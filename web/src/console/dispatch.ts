// What dispatchers do beside talking: what is monitored, which groups are patched, shifts that are handed over. Pure.

import type { HandoverInfo, Monitoring, Patched, ServerMessage } from "../wire/protocol";

export type Dispatch = {
  monitoring: Monitoring | null;
  /** Patches that are open, by id. */
  patches: Readonly<Record<string, Patched>>;
  /** Handovers that concern me, by id, decided or not. */
  handovers: Readonly<Record<string, HandoverInfo>>;
};

export const nothingDispatched: Dispatch = { monitoring: null, patches: {}, handovers: {} };

export function dispatchTold(before: Dispatch, message: ServerMessage): Dispatch {
  switch (message.type) {
    case "welcome":
      // What still holds is told again after it.
      return message.resumed ? before : nothingDispatched;
    case "monitoring":
      return { ...before, monitoring: message.scope === "none" ? null : message };
    case "patched": {
      const { [message.patch]: _was, ...others } = before.patches;
      return { ...before, patches: message.open ? { ...others, [message.patch]: message } : others };
    }
    case "handover":
      return { ...before, handovers: { ...before.handovers, [message.handover.id]: message.handover } };
    default:
      return before;
  }
}

/** The patch a group is in now. */
export function patchOf(dispatch: Dispatch, group: string): Patched | null {
  const all = Object.values(dispatch.patches);
  return all.find(({ groups }) => groups.some(({ id }) => id === group)) ?? null;
}

/** The handover that waits for my answer, and the one of mine that waits for another's. */
export function waiting(
  dispatch: Dispatch,
  me: string | undefined,
): { toMe: HandoverInfo | null; mine: HandoverInfo | null } {
  const open = Object.values(dispatch.handovers).filter(({ state }) => state === "offered");
  return {
    toMe: open.find(({ to }) => to.id === me) ?? null,
    mine: open.find(({ by }) => by.id === me) ?? null,
  };
}
