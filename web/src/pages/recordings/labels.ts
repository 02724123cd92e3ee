// Names as they are offered to be chosen: each one other than all others.

export type Named = { id: string; name: string; badge?: string };
export type Labelled = { id: string; label: string };

/** The first of each id, by name; two of one name are told apart by their badges, else by the end of their ids. */
export function labelled(all: readonly Named[]): Labelled[] {
  const byId = new Map<string, string>();
  for (const { id, name, badge } of all)
    if (id && !byId.has(id)) byId.set(id, [name || id, badge].filter(Boolean).join(" "));
  const times = new Map<string, number>();
  for (const label of byId.values()) times.set(label, (times.get(label) ?? 0) + 1);
  return [...byId]
    .map(([id, label]) => ({ id, label: (times.get(label) ?? 0) > 1 ? `${label} …${id.slice(-4)}` : label }))
    .sort((one, other) => one.label.localeCompare(other.label, "zh-CN"));
}
