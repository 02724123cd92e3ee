// Requests to the API in the name of the person who is signed in here.

import type { Refusal } from "../wire/protocol";
import { freshToken } from "./account";
import { type FieldProblem, Problem, parsed } from "./api";

export type Answer<T> = { body: T; tag: string };

/** Rejects with `Problem`: the server's code, or `unreachable`. */
export async function authorised<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: HeadersInit = {},
): Promise<T> {
  return (await tagged<T>(method, path, body, headers)).body;
}

/** The same with the entity tag of what was answered ("" without one). */
export async function tagged<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: HeadersInit = {},
): Promise<Answer<T>> {
  const json = body !== undefined && !(body instanceof Blob);
  const response = await sent(method, path, json ? JSON.stringify(body) : (body as Blob | undefined), {
    ...(json ? { "content-type": "application/json" } : {}),
    ...headers,
  });
  const text = await response.text();
  const answer = parsed(text);
  if (response.ok) return { body: answer as T, tag: response.headers.get("etag") ?? "" };
  throw problemOf(answer, response.status);
}

/** A file of the API. */
export async function file(path: string): Promise<Blob> {
  const response = await sent("GET", path, undefined, {});
  if (response.ok) return response.blob();
  throw problemOf(parsed(await response.text()), response.status);
}

async function sent(method: string, path: string, body: BodyInit | undefined, headers: HeadersInit) {
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${await freshToken()}`, ...headers },
      ...(body === undefined ? {} : { body }),
    });
  } catch {
    throw new Problem("unreachable", 0);
  }
}

function problemOf(answer: unknown, status: number): Problem {
  const said = answer as { code?: Refusal; errors?: FieldProblem[] } | null;
  return new Problem(said?.code ?? "unavailable", status, said?.errors ?? []);
}
