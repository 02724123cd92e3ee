// The HTTP side: sign-in, enrolment, the demo's people. Errors are problem+json with a code of the vocabulary.

import type { Refusal, Role } from "../wire/protocol";

export type User = { id: string; name: string; badge: string; roles: Role[] };

export type Tokens = { access_token: string; expires_in: number; refresh_token: string; user: User };

export type FieldProblem = { field: string; message: string };

export class Problem extends Error {
  constructor(
    readonly code: Refusal | "unreachable",
    readonly status: number,
    /** What is wrong with which field of the request. */
    readonly fields: readonly FieldProblem[] = [],
  ) {
    super(code);
  }
}

const BASE = "/api/v1";

/** Raises `Problem`: with the server's code, or `unreachable` when there was no answer. */
async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch {
    throw new Problem("unreachable", 0);
  }
  const text = await response.text();
  const body: unknown = parsed(text);
  if (response.ok) return body as T;
  const code = (body as { code?: Refusal } | null)?.code;
  throw new Problem(code ?? (response.status === 404 ? "not_found" : "unavailable"), response.status);
}

/** Null for what is no JSON: a proxy before the server answers with a page of its own. */
export function parsed(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function post<T>(path: string, body: unknown = {}, token?: string): Promise<T> {
  return call<T>(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
}

export const api = {
  /** The demo's people; null where there is no demo. */
  async demoPeople(): Promise<User[] | null> {
    try {
      const found = await call<User[] | { people: User[] }>("/demo/people");
      return Array.isArray(found) ? found : found.people;
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 404) return null;
      throw problem;
    }
  },
  stepIn: (user: string) => post<Tokens>(`/demo/people/${encodeURIComponent(user)}/step-in`),
  signIn: (name: string, password: string) => post<Tokens>("/auth/sign-in", { name, password }),
  enrol: (code: string) => post<Tokens>("/auth/enrol", { code }),
  refresh: (refresh_token: string) => post<Tokens>("/auth/refresh", { refresh_token }),
  signOut: (refresh_token: string, access: string) => post<null>("/auth/sign-out", { refresh_token }, access),
};
