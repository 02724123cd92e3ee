// Which page a person works on.

import type { Role } from "../wire/protocol";

/** The page of the first role that has one of its own; everyone can talk. */
export function homeOf(_roles: readonly Role[]): string {
  return "/talk";
}
