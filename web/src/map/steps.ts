// The marks of a map are one stop of the Tab key: the arrows go from one to the next, the most urgent first.

const STEPS: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at - 1 + count) % count,
  ArrowUp: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

type Ordered = { id: string; title: string };

/** To which mark a key leads from this one; null where it leads nowhere. `above`: the greater, the earlier. */
export function step<M extends Ordered>(
  key: string,
  from: string,
  marks: readonly M[],
  above: (mark: M) => number,
): string | null {
  const to = STEPS[key];
  if (!to || marks.length < 2) return null;
  const order = [...marks].sort((a, b) => above(b) - above(a) || (a.title < b.title ? -1 : 1));
  const at = order.findIndex(({ id }) => id === from);
  return at < 0 ? null : (order[to(at, order.length)]?.id ?? null);
}
