// The people one can see and call.

import type { Person } from "../wire/protocol";
import { freshToken } from "./account";

const PAGE = 200;

export async function colleagues(): Promise<Person[]> {
  const token = await freshToken();
  const response = await fetch(`/api/v1/people?limit=${PAGE}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw new Error(String(response.status));
  const found = (await response.json()) as { items?: Person[] } | Person[];
  return (Array.isArray(found) ? found : (found.items ?? [])).map(({ id, name, badge }) => ({
    id,
    name,
    badge: badge ?? "",
  }));
}
