import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { zh } from "../i18n/zh";
import {
  BESIDE_A_DIALOG,
  CHANNEL_CAPS,
  CHANNEL_CODES,
  KEYS,
  meaning,
  PERSON_ACTS,
  type Pressed,
} from "./keymap";

const pressed = (code: string, more: Partial<Pressed> = {}): Pressed => ({
  code,
  key: "",
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  ...more,
});

test("no two acts share a key", () => {
  const taken = KEYS.flatMap(({ codes, shift }) => codes.map((code) => `${shift ?? false} ${code}`));
  expect(new Set(taken).size).toBe(taken.length);
});

test("digits choose a channel, with shift they talk in it as long as they are held", () => {
  expect(meaning(pressed("Digit1"))).toMatchObject({ binding: { act: "choose_channel" }, channel: 0 });
  const talk = meaning(pressed("Equal", { shiftKey: true }));
  expect(talk).toMatchObject({ binding: { act: "talk_channel", hold: true }, channel: 11 });
  expect(CHANNEL_CAPS).toHaveLength(CHANNEL_CODES.length);
});

test("behind a dialog nothing is ended, taken away or barred", () => {
  for (const act of ["force_end", "revoke", "hang_up", "unpatch", "patch", "mute", ...PERSON_ACTS] as const)
    expect(BESIDE_A_DIALOG.has(act)).toBe(false);
  expect(BESIDE_A_DIALOG.has("talk")).toBe(true);
});

test("keys of the browser stay the browser's", () => {
  expect(meaning(pressed("KeyR", { ctrlKey: true }))).toBeNull();
  expect(meaning(pressed("KeyL", { metaKey: true }))).toBeNull();
  expect(meaning(pressed("KeyE", { altKey: true }))).toBeNull();
  expect(meaning(pressed("F5"))).toBeNull();
});

test("the question mark opens the help wherever a layout has it", () => {
  expect(meaning(pressed("Slash", { shiftKey: true, key: "?" }))?.binding.act).toBe("help");
  expect(meaning(pressed("Minus", { shiftKey: true, key: "?" }))?.binding.act).toBe("help");
  expect(meaning(pressed("Slash", { key: "/" }))?.binding.act).toBe("search");
});

test("docs/console.md tells every key", () => {
  const page = readFileSync(new URL("../../../docs/console.md", import.meta.url), "utf8");
  for (const { cap, words } of KEYS) expect(page).toContain(`| ${cap} | ${zh[words]} |`);
});
