// The people one can see and call.

import type { Person } from "../wire/protocol";
import { authorised } from "./authorised";

const PAGE = 200;

export async function colleagues(): Promise<Person[]> {
  const { items } = await authorised<{ items: Person[] }>("GET", `/people?limit=${PAGE}`);
  return items.map(({ id, name, badge }) => ({ id, name, badge: badge ?? "" }));
}
