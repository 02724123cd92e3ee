// Which page a person works on.

import type { Role } from "../wire/protocol";

const HOMES: readonly [readonly Role[], string][] = [
  [["dispatcher", "shift_leader", "intake", "supervisor"], "/console"],
  [["leader"], "/leader"],
  [["system_admin", "security_admin", "audit_admin"], "/admin"],
];

/** The page of the first role that has one of its own; everyone can talk. */
export function homeOf(roles: readonly Role[]): string {
  return HOMES.find(([of]) => of.some((role) => roles.includes(role)))?.[1] ?? "/talk";
}
