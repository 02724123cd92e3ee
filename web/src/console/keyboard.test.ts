import { afterEach, expect, test, vi } from "vitest";
import type { ConsoleDesk } from "./desk";
import { bindKeys } from "./keyboard";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("a finger that goes up is told also where the key it held is gone from the wall", () => {
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("document", new EventTarget());
  const released: unknown[] = [];
  const desk = { release: (holder: unknown) => released.push(holder) } as unknown as ConsoleDesk;
  const stop = bindKeys(desk);
  const ends = (name: string, pointerId: number) =>
    page.dispatchEvent(Object.assign(new Event(name), { pointerId }));
  ends("pointerup", 4);
  ends("pointercancel", 5);
  ends("lostpointercapture", 6);
  stop();
  ends("pointerup", 7);
  expect(released).toEqual([4, 5, 6]);
});
