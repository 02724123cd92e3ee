// What stands on a map, told as data. Pure.

import type { Degrees } from "./degrees";

/** Something that stands somewhere. `data`: what its looks depend on. */
export type Mark = {
  id: string;
  kind: "person" | "incident" | "sos";
  at: Degrees;
  label: string;
  title: string;
  data: Readonly<Record<string, string>>;
  chosen?: boolean;
  accuracyM?: number | null;
};

const ABOVE: Record<Mark["kind"], number> = { incident: 0, person: 1000, sos: 3000 };
const CHOSEN_ABOVE = 2000;

/** How high a mark lies over others. */
export function above({ kind, chosen }: Mark): number {
  return ABOVE[kind] + (chosen ? CHOSEN_ABOVE : 0);
}

/** Whether a mark looks, and stands, as it did. */
export function same(one: Mark, other: Mark): boolean {
  return (
    one.kind === other.kind &&
    one.at.longitude === other.at.longitude &&
    one.at.latitude === other.at.latitude &&
    one.label === other.label &&
    one.title === other.title &&
    (one.chosen ?? false) === (other.chosen ?? false) &&
    (one.accuracyM ?? null) === (other.accuracyM ?? null) &&
    Object.keys(one.data).length === Object.keys(other.data).length &&
    Object.entries(one.data).every(([name, value]) => other.data[name] === value)
  );
}
