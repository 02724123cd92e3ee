import { expect, test, vi } from "vitest";
import { isOwnPress, onceHeld } from "./press";

test("the second half of a double click or of a double tap is no press of its own, nor is a key that is held", () => {
  const click = (pointerType: string, detail: number, timeStamp: number) => ({
    pointerType,
    detail,
    timeStamp,
  });
  expect(isOwnPress(click("mouse", 1, 1_000), Number.NEGATIVE_INFINITY)).toBe(true);
  expect(isOwnPress(click("mouse", 2, 1_200), 1_000)).toBe(false);
  expect(isOwnPress(click("mouse", 1, 1_100), 1_000)).toBe(true); // moved between: the browser counts anew
  expect(isOwnPress(click("touch", 1, 1_250), 1_000)).toBe(false);
  expect(isOwnPress(click("touch", 1, 1_400), 1_000)).toBe(true);
  expect(isOwnPress({ detail: 0, timeStamp: 1_100 }, 1_000)).toBe(true); // by a key of the keyboard

  const preventDefault = vi.fn();
  const key = (of: string, repeat: boolean) =>
    onceHeld({ key: of, repeat, preventDefault } as unknown as KeyboardEvent);
  key("Enter", false);
  key("Tab", true);
  expect(preventDefault).not.toHaveBeenCalled();
  key("Enter", true);
  expect(preventDefault).toHaveBeenCalledOnce();
});
