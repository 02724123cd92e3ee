// Requests to the API in the name of the person who is signed in here.

import type { Refusal } from "../wire/protocol";
import { freshToken } from "./account";
import { Problem } from "./api";

/** Rejects with `Problem`: the server's code, or `unreachable`. */
export async function authorised<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: HeadersInit = {},
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await freshToken()}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Problem("unreachable", 0);
  }
  const text = await response.text();
  const answer: unknown = text ? JSON.parse(text) : null;
  if (response.ok) return answer as T;
  throw new Problem((answer as { code?: Refusal } | null)?.code ?? "unavailable", response.status);
}
