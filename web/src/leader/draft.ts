// A saved plan as its form shows it, and back. What the form does not show stays as it was. Pure.

import type { BroadcastKind, Recipients, Tier } from "../wire/protocol";
import type { Plan, Starts } from "./api";
import { type Chosen, choice, everyone, recipients } from "./targets";

export const WHATS = ["call", "live", "recorded", "text", "roll_call"] as const;
export type What = (typeof WHATS)[number];
export type Draft = { name: string; what: What; tier: Tier; text: string; message: string | null };

export function whatOf(starts: Starts): What {
  return starts.what === "call" ? "call" : (starts.kind as What);
}

export function draftOf(plan: Plan | null): Draft {
  const empty: Draft = { name: "", what: "call", tier: 2, text: "", message: null };
  if (!plan) return empty;
  const { starts, name } = plan;
  const rest =
    starts.what === "call" ? { text: starts.name } : { text: starts.text, message: starts.message ?? null };
  return { ...empty, ...rest, name, what: whatOf(starts), tier: starts.tier };
}

/** What is saved; `was`: what the plan started before, null of a new one. */
export function startsOf({ what, tier, text, message }: Draft, chosen: Chosen, was: Starts | null): Starts {
  const to = toWhom(chosen, was);
  if (what === "call") return { what: "call", to, tier: tier === 0 ? 2 : tier, name: text };
  const kind: BroadcastKind = what;
  const before = was?.what === "broadcast" ? was : null;
  return {
    what: "broadcast",
    to,
    kind,
    tier,
    text,
    ...(kind === "recorded" && message ? { message } : {}),
    acknowledge: kind === "roll_call" || (before?.acknowledge ?? true),
    ...(before?.exercise === undefined ? {} : { exercise: before.exercise }),
    ...(before?.expires_s === undefined ? {} : { expires_s: before.expires_s }),
  };
}

/** Units are not picked in the page: they stay, and a plan of units alone does not become one to everybody. */
function toWhom(chosen: Chosen, was: Starts | null): Recipients {
  if (!was) return recipients(chosen);
  if (JSON.stringify(recipients(choice(was.to))) === JSON.stringify(recipients(chosen))) return was.to;
  const units = was.to.units?.length && !everyone(chosen) ? { units: was.to.units } : {};
  return { ...recipients(chosen), ...units };
}
