// What is edited, with the version it was read at: two editors do not overwrite each other.

import { tagged } from "../../account/authorised";

export type Values = Record<string, unknown>;
export type Held = { values: Values; tag: string };
/** A field that somebody else changed meanwhile; `mine`: and so did I. */
export type Clash = { field: string; theirs: unknown; mine?: unknown };

export async function read(path: string): Promise<Held> {
  const { body, tag } = await tagged<Values>("GET", path);
  return { values: body, tag };
}

/** Rejects with `Problem`; status 412 when somebody else was quicker. */
export async function write(path: string, values: Values, tag: string): Promise<Held> {
  const { body, tag: now } = await tagged<Values>("PUT", path, values, { "if-match": tag });
  return { values: body, tag: now };
}

export function clashes(base: Values, mine: Values, theirs: Values): Clash[] {
  return Object.keys(base)
    .filter((field) => !same(base[field], theirs[field]))
    .map((field) =>
      same(base[field], mine[field]) || same(mine[field], theirs[field])
        ? { field, theirs: theirs[field] }
        : { field, theirs: theirs[field], mine: mine[field] },
    );
}

/** My changes on top of theirs. */
export function merged(base: Values, mine: Values, theirs: Values): Values {
  return Object.fromEntries(
    Object.keys(theirs).map((field) => [
      field,
      field in mine && !same(base[field], mine[field]) ? mine[field] : theirs[field],
    ]),
  );
}

export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether the server named this field, or a part of it (`users.3`), as wrong. */
export function isNamed(name: string, wrong: readonly { field: string }[]): boolean {
  return wrong.some(({ field }) => field === name || field.startsWith(`${name}.`));
}
