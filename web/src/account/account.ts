// Who this page is: its tokens, kept fresh. A person of the demo lives in one tab, so that two tabs are two people; one who signed
// in or enrolled stays on this device.

import { api, Problem, type Tokens, type User } from "./api";

export type Keep = "tab" | "device";

type Kept = { access: string; refresh: string; expiresAt: number; user: User };

const KEY = "poc.account";
/** A token that ends sooner is renewed before it is used. */
const MARGIN_MS = 30_000;

const stores: Record<Keep, () => Storage> = { tab: () => sessionStorage, device: () => localStorage };

/** The person of this tab, else the one of this device; null when nobody is signed in. */
export function current(): User | null {
  return found()?.kept.user ?? null;
}

export function enter(tokens: Tokens, keep: Keep): User {
  const kept = keptFrom(tokens);
  stores[keep]().setItem(KEY, JSON.stringify(kept));
  return kept.user;
}

/** The server ended this sign-in: the start page asks for a new one. */
export function forget(): void {
  const here = found();
  if (!here) return;
  stores[here.keep]().removeItem(KEY);
}

export async function leave(): Promise<void> {
  const here = found();
  if (!here) return;
  forget();
  try {
    await api.signOut(here.kept.refresh, here.kept.access);
  } catch {
    // Forgotten here whatever the server says: the refresh token ends by itself.
  }
}

/**
 * A token that is good now; null when the person must sign in again. Rejects with `Problem` when the server cannot be asked.
 * Tabs that share a sign-in renew one at a time, because a refresh token may be spent only once.
 */
export function freshToken(renew = false): Promise<string | null> {
  const before = found();
  if (!before) return Promise.resolve(null);
  if (!renew && !stale(before.kept)) return Promise.resolve(before.kept.access);
  const work = () => renewed(before.kept.access);
  return before.keep === "device" && navigator.locks
    ? navigator.locks.request("poc.refresh", work)
    : serial(work);
}

let running: Promise<string | null> | null = null;

function serial(work: () => Promise<string | null>): Promise<string | null> {
  running ??= work().finally(() => {
    running = null;
  });
  return running;
}

async function renewed(refusedAccess: string): Promise<string | null> {
  const here = found();
  if (!here) return null;
  // Another tab was quicker.
  if (here.kept.access !== refusedAccess && !stale(here.kept)) return here.kept.access;
  try {
    const tokens = await api.refresh(here.kept.refresh);
    enter({ ...tokens, user: tokens.user ?? here.kept.user }, here.keep);
    return tokens.access_token;
  } catch (problem) {
    if (
      !(problem instanceof Problem) ||
      problem.status < 400 ||
      problem.status >= 500 ||
      problem.status === 429
    )
      throw problem;
    stores[here.keep]().removeItem(KEY);
    return null;
  }
}

function found(): { kept: Kept; keep: Keep } | null {
  for (const keep of ["tab", "device"] as const) {
    const text = stores[keep]().getItem(KEY);
    if (!text) continue;
    try {
      return { kept: JSON.parse(text) as Kept, keep };
    } catch {
      stores[keep]().removeItem(KEY);
    }
  }
  return null;
}

function stale(kept: Kept): boolean {
  return kept.expiresAt - Date.now() < MARGIN_MS;
}

function keptFrom(tokens: Tokens): Kept {
  return {
    access: tokens.access_token,
    refresh: tokens.refresh_token,
    expiresAt: Date.now() + tokens.expires_in * 1000,
    user: tokens.user,
  };
}
