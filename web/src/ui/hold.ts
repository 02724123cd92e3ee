// A key that acts while it is held: by a pointer, by Enter or the space bar where it has the focus; and for whoever cannot hold
// anything, a screen reader's touch begins it and the next one ends it.

import type { TargetedEvent, TargetedKeyboardEvent, TargetedMouseEvent, TargetedPointerEvent } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Settling } from "./settling";

export type Holding = {
  down: () => void;
  up: () => void;
  /** What a touch that cannot be held does instead of beginning and ending. */
  tapped?: () => void;
  /** A scroll that begins on it must begin nothing; it costs a finger a moment. */
  settles?: boolean;
};

type Button = HTMLButtonElement;
const KEYS = new Set(["Enter", " "]);

/** The handlers of a button that is held. It is down while anything holds it. */
export function useHold({ down, up, tapped, settles = false }: Holding) {
  const { current: holders } = useRef(new Set<number | "key" | "tap">());
  const { current: settling } = useRef(new Settling());
  const lifts = useRef(up);
  lifts.current = up;
  useEffect(
    () => () => {
      // It is gone while it is held: nobody will say that it comes up.
      settling.clear();
      if (holders.size > 0) lifts.current();
      holders.clear();
    },
    [settling, holders],
  );
  const begin = (holder: number | "key" | "tap") => {
    if (holders.has(holder)) return;
    holders.add(holder);
    if (holders.size === 1) down();
  };
  const end = (holder: number | "key" | "tap") => {
    if (holders.delete(holder) && holders.size === 0) up();
  };
  const released = ({ pointerId }: TargetedPointerEvent<Button>) => {
    settling.drop(pointerId);
    end(pointerId);
  };
  return {
    onPointerDown: (event: TargetedPointerEvent<Button>) => {
      if (event.button !== 0) return;
      event.preventDefault();
      const { pointerId } = event;
      event.currentTarget.setPointerCapture(pointerId);
      if (settles) settling.down(event, () => begin(pointerId));
      else begin(pointerId);
    },
    onPointerMove: (event: TargetedPointerEvent<Button>) => settling.moved(event),
    onPointerUp: (event: TargetedPointerEvent<Button>) => {
      settling.up(event.pointerId);
      released(event);
    },
    onPointerCancel: released,
    onLostPointerCapture: released,
    onContextMenu: (event: TargetedMouseEvent<Button>) => event.preventDefault(),
    onKeyDown: (event: TargetedKeyboardEvent<Button>) => {
      // Where a pointer left the focus here the space bar is still the talk key of the page.
      if (!KEYS.has(event.key) || !event.currentTarget.matches(":focus-visible")) return;
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) begin("key");
    },
    onKeyUp: (event: TargetedKeyboardEvent<Button>) => {
      if (!KEYS.has(event.key) || !holders.has("key")) return;
      event.preventDefault();
      end("key");
    },
    onBlur: (_: TargetedEvent<Button>) => end("key"),
    onClick: (event: TargetedMouseEvent<Button>) => {
      // A click no pointer and no key has made.
      if (event.detail !== 0) return;
      if (tapped) tapped();
      else if (holders.has("tap")) end("tap");
      else begin("tap");
    },
  };
}
