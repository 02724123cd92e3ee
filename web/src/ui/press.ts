// Whether a click stands for a press of its own: what is asked twice is answered by two presses, not by one that trembles.

import { useRef } from "preact/hooks";

/** A finger that taps twice within it has pressed once. */
const TREMBLES_MS = 400;

type Click = Pick<MouseEvent, "detail" | "timeStamp"> & { pointerType?: string };

/** `before`: when it was clicked last. Browsers count the clicks of a mouse (`detail`), and not everywhere those of a finger. */
export function isOwnPress({ detail, timeStamp, pointerType }: Click, before: number): boolean {
  return detail <= 1 && !(pointerType === "touch" && timeStamp - before < TREMBLES_MS);
}

/** Asked of each click on one thing, in their order. */
export function useOwnPress(): (click: Click) => boolean {
  const before = useRef(Number.NEGATIVE_INFINITY);
  return (click) => {
    const own = isOwnPress(click, before.current);
    before.current = click.timeStamp;
    return own;
  };
}

/** A key that is held down says the same again and again; it is one press. */
export function onceHeld(event: KeyboardEvent): void {
  if (event.repeat && event.key === "Enter") event.preventDefault();
}
