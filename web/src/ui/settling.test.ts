import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Settling, STAYS_MS, STAYS_PX } from "./settling";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const at = (clientY: number, pointerType = "touch") => ({ pointerId: 7, pointerType, clientX: 100, clientY });

function pressed() {
  const settling = new Settling();
  const begun = vi.fn();
  return { settling, begun, down: (pointerType?: string) => settling.down(at(300, pointerType), begun) };
}

test("a finger begins when it has stayed, or was a short touch; a mouse begins at once", () => {
  const held = pressed();
  held.down();
  held.settling.moved(at(300 - STAYS_PX));
  vi.advanceTimersByTime(STAYS_MS - 1);
  expect(held.begun).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  held.settling.moved(at(100)); // whoever holds it may move
  held.settling.up(7);
  expect(held.begun).toHaveBeenCalledOnce();

  const tapped = pressed();
  tapped.down();
  tapped.settling.up(7);
  vi.advanceTimersByTime(STAYS_MS);
  expect(tapped.begun).toHaveBeenCalledOnce();

  const mouse = pressed();
  mouse.down("mouse");
  expect(mouse.begun).toHaveBeenCalledOnce();
});

test("a scroll that begins on a key begins nothing, nor does a key that is gone", () => {
  const moved = pressed();
  moved.down();
  moved.settling.moved(at(300 - STAYS_PX - 1));
  vi.advanceTimersByTime(STAYS_MS);
  moved.settling.up(7);

  const scrolled = pressed();
  scrolled.down();
  scrolled.settling.drop(7); // the browser says: pointercancel
  vi.advanceTimersByTime(STAYS_MS);

  const gone = pressed();
  gone.down();
  gone.settling.clear();
  vi.advanceTimersByTime(STAYS_MS);
  for (const { begun } of [moved, scrolled, gone]) expect(begun).not.toHaveBeenCalled();
});
