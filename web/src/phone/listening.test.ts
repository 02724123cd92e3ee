import { describe, expect, it } from "vitest";
import { deafness, type Ears, worthSaying } from "./listening";

const hearing: Ears = {
  soundLocked: false,
  hidden: false,
  soundsWhileHidden: false,
  microphoneLost: false,
  frozen: false,
  media: true,
};

describe("a burst would be heard", () => {
  it("when all is well", () => {
    expect(deafness(hearing)).toBeNull();
  });

  it.each([
    [{ frozen: true }, "frozen"],
    [{ media: false }, "no_media"],
    [{ soundLocked: true }, "locked"],
    [{ microphoneLost: true }, "microphone_lost"],
    [{ hidden: true }, "hidden"],
  ] as const)("not with %o", (change, reason) => {
    expect(deafness({ ...hearing, ...change })).toBe(reason);
  });

  it("behind another window, once the sound was seen to go on", () => {
    expect(deafness({ ...hearing, hidden: true, soundsWhileHidden: true })).toBeNull();
  });
});

describe("the server is told", () => {
  it("of a change at the next look, and of the same again every three seconds", () => {
    expect(worthSaying(true, 0)).toBe(true);
    expect(worthSaying(false, 2010)).toBe(false);
    expect(worthSaying(false, 2990)).toBe(true);
  });
});
