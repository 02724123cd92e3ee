import { expect, test } from "vitest";
import {
  EMERGENCY_VOLUME,
  emptyDesk,
  mixOf,
  restored,
  silenced,
  withMute,
  withNextEar,
  withSolo,
  withVolume,
} from "./mix";

test("a channel nobody touched is heard in both ears at full volume", () => {
  expect(mixOf(emptyDesk, "east", 0)).toEqual({ gain: 1, pan: 0 });
});

test("a muted channel is silent until it is unmuted", () => {
  const muted = withMute(emptyDesk, "east");
  expect(mixOf(muted, "east", 0).gain).toBe(0);
  expect(mixOf(withMute(muted, "east"), "east", 0).gain).toBe(1);
});

test("solo silences all others, also when several are solo, and wins over mute", () => {
  const solo = withSolo(withSolo(withMute(emptyDesk, "east"), "east"), "west");
  expect(["east", "west", "north"].map((id) => silenced(solo, id))).toEqual([false, false, true]);
  expect(silenced(withSolo(withSolo(solo, "east"), "west"), "north")).toBe(false);
});

test("no mute, solo, ear or low volume keeps an emergency away", () => {
  let desk = withVolume(withMute(emptyDesk, "east"), "east", 0.1);
  desk = withSolo(withNextEar(desk, "east"), "west");
  expect(mixOf(desk, "east", 2)).toEqual({ gain: EMERGENCY_VOLUME, pan: 0 });
  expect(mixOf(desk, "east", 1)).toEqual({ gain: EMERGENCY_VOLUME, pan: 0 });
});

test("the ear goes from both to left to right and round", () => {
  const left = withNextEar(emptyDesk, "east");
  const right = withNextEar(left, "east");
  expect([left, right, withNextEar(right, "east")].map((desk) => mixOf(desk, "east", 0).pan)).toEqual([
    -1, 1, 0,
  ]);
});

test("volume stays between silence and full, and steps come back to where they began", () => {
  expect(mixOf(withVolume(emptyDesk, "east", 1.4), "east", 0).gain).toBe(1);
  expect(mixOf(withVolume(emptyDesk, "east", -1), "east", 0).gain).toBe(0);
  let volume = 1;
  for (let i = 0; i < 10; i++) volume = mixOf(withVolume(emptyDesk, "east", volume - 0.1), "east", 0).gain;
  expect(volume).toBe(0);
});

test("what was kept is taken up again but for solo and for what cannot be read", () => {
  expect(restored({ channels: { east: { volume: 0.4, muted: true, ear: "left" } }, solo: ["east"] })).toEqual(
    {
      channels: { east: { volume: 0.4, muted: true, ear: "left" } },
      solo: [],
    },
  );
  expect(restored({ channels: { east: { volume: 7, ear: "nose" } } })).toEqual({
    channels: { east: { volume: 1, muted: false, ear: "both" } },
    solo: [],
  });
  expect(restored(null)).toEqual(emptyDesk);
  expect(restored("x")).toEqual(emptyDesk);
});
