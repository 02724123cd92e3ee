// The outline of a grid cell: as it is entered, one corner a line, and as it is drawn.

export type Point = readonly [longitude: number, latitude: number];

export function lines(outline: readonly Point[]): string {
  return outline.map(([longitude, latitude]) => `${longitude} ${latitude}`).join("\n");
}

/** The corners, or the number of the first line that is none (from 1). Empty lines say nothing. */
export function corners(text: string): Point[] | number {
  const found: Point[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (!line.trim()) continue;
    const [longitude, latitude, ...more] = line
      .trim()
      .split(/[\s,，;；]+/)
      .map((each) => (each ? Number(each) : Number.NaN));
    const right =
      more.length === 0 && Math.abs(longitude ?? Number.NaN) <= 180 && Math.abs(latitude ?? Number.NaN) <= 90;
    if (!right) return at + 1;
    found.push([longitude as number, latitude as number]);
  }
  return found;
}

/** Outlines on one small sheet of the given size, north up and not distorted: SVG points for each. */
export function drawn(outlines: readonly (readonly Point[])[], width: number, height: number): string[] {
  const all = outlines.flat();
  if (all.length === 0) return outlines.map(() => "");
  let [west, east, south, north] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [longitude, latitude] of all) {
    [west, east] = [Math.min(west, longitude), Math.max(east, longitude)];
    [south, north] = [Math.min(south, latitude), Math.max(north, latitude)];
  }
  // A degree of longitude is shorter than one of latitude, by the cosine.
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = Math.min(width / ((east - west) * squeeze || 1e-9), height / (north - south || 1e-9));
  const left = (width - (east - west) * squeeze * scale) / 2;
  const top = (height - (north - south) * scale) / 2;
  return outlines.map((outline) =>
    outline
      .map(([longitude, latitude]) => {
        const x = left + (longitude - west) * squeeze * scale;
        const y = top + (north - latitude) * scale;
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      })
      .join(" "),
  );
}
