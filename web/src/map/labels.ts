// Which names can be read: of those that would cover each other, the first stays. Pure.

export type Box = { left: number; top: number; width: number; height: number };
/** `dot`: what it is the name of. `must`: it is shown whatever it covers. */
export type Label = { id: string; name: Box; dot: Box; must?: boolean };

/** The ids of the labels that cover no name before them and nobody's dot; the most important come first. */
export function readable(labels: readonly Label[]): Set<string> {
  const placed: Label[] = [];
  for (const label of labels) {
    const covers =
      placed.some((other) => cover(label.name, other.name)) ||
      labels.some((other) => other !== label && cover(label.name, other.dot));
    if (label.must || !covers) placed.push(label);
  }
  return new Set(placed.map(({ id }) => id));
}

function cover(a: Box, b: Box): boolean {
  return (
    a.left < b.left + b.width &&
    b.left < a.left + a.width &&
    a.top < b.top + b.height &&
    b.top < a.top + a.height
  );
}
