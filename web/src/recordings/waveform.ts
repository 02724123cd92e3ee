// How a recording is drawn. Pure.

/** Heights of the drawn voice, 0 to 1. */
export function heights(peaks: string, count: number): number[] {
  const bytes = Uint8Array.from(atob(peaks), (char) => char.charCodeAt(0));
  return Array.from({ length: count }, (_, i) => {
    const part = bytes.subarray(
      Math.floor((i * bytes.length) / count),
      Math.ceil(((i + 1) * bytes.length) / count),
    );
    return part.length ? Math.max(...part) / 255 : 0;
  });
}
