// A finger that comes down to scroll presses nothing: what it touches begins when it has stayed there for a moment, or went up again.

/** A scroll has begun by then. */
export const STAYS_MS = 150;
export const STAYS_PX = 10;

type Touch = Pick<PointerEvent, "pointerId" | "pointerType" | "clientX" | "clientY">;
type Waiting = { x: number; y: number; begin: () => void; timer: ReturnType<typeof setTimeout> };

export class Settling {
  readonly #waiting = new Map<number, Waiting>();

  /** A pointer comes down on what `begin` begins; a mouse or a pen scrolls nothing, and begins at once. */
  down({ pointerId, pointerType, clientX, clientY }: Touch, begin: () => void): void {
    if (pointerType !== "touch") return begin();
    const timer = setTimeout(() => this.up(pointerId), STAYS_MS);
    this.#waiting.set(pointerId, { x: clientX, y: clientY, begin, timer });
  }

  moved({ pointerId, clientX, clientY }: Touch): void {
    const from = this.#waiting.get(pointerId);
    if (from && Math.hypot(clientX - from.x, clientY - from.y) > STAYS_PX) this.drop(pointerId);
  }

  /** It stayed, or was a short touch: it is meant. */
  up(pointerId: number): void {
    const begin = this.#waiting.get(pointerId)?.begin;
    this.drop(pointerId);
    begin?.();
  }

  /** The browser took it for a scroll: it begins nothing. */
  drop(pointerId: number): void {
    clearTimeout(this.#waiting.get(pointerId)?.timer);
    this.#waiting.delete(pointerId);
  }

  /** What was touched is gone. */
  clear(): void {
    for (const pointerId of [...this.#waiting.keys()]) this.drop(pointerId);
  }
}
