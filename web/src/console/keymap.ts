// The keys of the console as one table: the page listens by it, its help and docs/console.md show it.

import type { Key } from "../i18n/zh";

/** How much of a channel one key plays again. */
export const LAST_S = 30;

/** What is done with the person whose card is open: each is a button there, for whoever has the right. */
export const PERSON_ACTS = [
  "person_call",
  "person_ring",
  "person_duplex",
  "person_text",
  "person_call_back",
  "person_pull",
  "person_pick",
  "people_first",
  "person_ban",
  "person_listen",
] as const;
export type PersonAct = (typeof PERSON_ACTS)[number];

/** What a key does. `channel` acts carry which channel; all others concern the chosen channel. */
export type Act =
  | "talk"
  | "talk_channel"
  | "choose_channel"
  | "previous"
  | "next"
  | "above"
  | "below"
  | "next_on_air"
  | "find_channel"
  | "listen"
  | "mute"
  | "solo"
  | "ear"
  | "quieter"
  | "louder"
  | "last_30s"
  | "revoke"
  | "target"
  | "clear_targets"
  | "temporary"
  | "patch"
  | "unpatch"
  | "calls"
  | "force_end"
  | "previous_person"
  | "next_person"
  | PersonAct
  | "claim"
  | "accept"
  | "hang_up"
  | "search"
  | "people"
  | "map"
  | "messages"
  | "write"
  | "take_over"
  | "incidents"
  | "widen"
  | "dense"
  | "monitor"
  | "handover"
  | "help"
  | "escape";

export type Section = "keys_talk" | "keys_hear" | "keys_person" | "keys_page";

export type Binding = {
  act: Act;
  section: Section;
  /** As on the key cap. */
  cap: string;
  /** `KeyboardEvent.code`: the place of the key, whatever the layout or input method. */
  codes: readonly string[];
  shift?: boolean;
  /** Does it as long as it is held. */
  hold?: boolean;
  words: Key;
};

/** The first twelve channels of the wall, by the row of digits. */
export const CHANNEL_CODES = [
  ..."1234567890".split("").map((digit) => `Digit${digit}`),
  "Minus",
  "Equal",
] as const;
export const CHANNEL_CAPS = [..."1234567890-="] as const;

export const KEYS: readonly Binding[] = [
  { act: "talk", section: "keys_talk", cap: "Space", codes: ["Space"], hold: true, words: "key_talk" },
  {
    act: "talk_channel",
    section: "keys_talk",
    cap: "Shift + 1 … =",
    codes: CHANNEL_CODES,
    shift: true,
    hold: true,
    words: "key_talk_channel",
  },
  {
    act: "choose_channel",
    section: "keys_talk",
    cap: "1 … =",
    codes: CHANNEL_CODES,
    words: "key_choose_channel",
  },
  { act: "previous", section: "keys_talk", cap: "←", codes: ["ArrowLeft"], words: "key_previous" },
  { act: "next", section: "keys_talk", cap: "→", codes: ["ArrowRight"], words: "key_next" },
  { act: "above", section: "keys_talk", cap: "↑", codes: ["ArrowUp"], words: "key_above" },
  { act: "below", section: "keys_talk", cap: "↓", codes: ["ArrowDown"], words: "key_below" },
  { act: "next_on_air", section: "keys_talk", cap: "Y", codes: ["KeyY"], words: "key_next_on_air" },
  { act: "find_channel", section: "keys_talk", cap: "U", codes: ["KeyU"], words: "key_find_channel" },
  { act: "target", section: "keys_talk", cap: "T", codes: ["KeyT"], words: "key_target" },
  {
    act: "clear_targets",
    section: "keys_talk",
    cap: "Shift + T",
    codes: ["KeyT"],
    shift: true,
    words: "key_clear_targets",
  },
  { act: "temporary", section: "keys_talk", cap: "N", codes: ["KeyN"], words: "key_temporary" },
  { act: "patch", section: "keys_talk", cap: "J", codes: ["KeyJ"], words: "key_patch" },
  {
    act: "unpatch",
    section: "keys_talk",
    cap: "Shift + J",
    codes: ["KeyJ"],
    shift: true,
    words: "key_unpatch",
  },
  { act: "revoke", section: "keys_talk", cap: "X", codes: ["KeyX"], words: "key_revoke" },
  {
    act: "force_end",
    section: "keys_talk",
    cap: "Shift + X",
    codes: ["KeyX"],
    shift: true,
    words: "key_force_end",
  },
  { act: "calls", section: "keys_talk", cap: "C", codes: ["KeyC"], words: "key_calls" },
  { act: "claim", section: "keys_talk", cap: "A", codes: ["KeyA"], words: "key_claim" },
  { act: "accept", section: "keys_talk", cap: "Enter", codes: ["Enter", "NumpadEnter"], words: "key_accept" },
  {
    act: "hang_up",
    section: "keys_talk",
    cap: "Backspace",
    codes: ["Backspace"],
    words: "key_hang_up",
  },
  { act: "listen", section: "keys_hear", cap: "L", codes: ["KeyL"], words: "key_listen" },
  { act: "mute", section: "keys_hear", cap: "M", codes: ["KeyM"], words: "key_mute" },
  { act: "solo", section: "keys_hear", cap: "S", codes: ["KeyS"], words: "key_solo" },
  { act: "ear", section: "keys_hear", cap: "E", codes: ["KeyE"], words: "key_ear" },
  { act: "quieter", section: "keys_hear", cap: ",", codes: ["Comma"], words: "key_quieter" },
  { act: "louder", section: "keys_hear", cap: ".", codes: ["Period"], words: "key_louder" },
  { act: "last_30s", section: "keys_hear", cap: "R", codes: ["KeyR"], words: "key_last_30s" },
  {
    act: "previous_person",
    section: "keys_person",
    cap: "PgUp",
    codes: ["PageUp"],
    words: "key_previous_person",
  },
  {
    act: "next_person",
    section: "keys_person",
    cap: "PgDn",
    codes: ["PageDown"],
    words: "key_next_person",
  },
  { act: "person_call", section: "keys_person", cap: "Q", codes: ["KeyQ"], words: "person_call" },
  {
    act: "person_ring",
    section: "keys_person",
    cap: "Shift + Q",
    codes: ["KeyQ"],
    shift: true,
    words: "person_ring",
  },
  { act: "person_duplex", section: "keys_person", cap: "D", codes: ["KeyD"], words: "person_duplex" },
  { act: "person_text", section: "keys_person", cap: "K", codes: ["KeyK"], words: "person_text" },
  {
    act: "person_call_back",
    section: "keys_person",
    cap: "Shift + K",
    codes: ["KeyK"],
    shift: true,
    words: "person_call_back",
  },
  { act: "person_pull", section: "keys_person", cap: "V", codes: ["KeyV"], words: "person_pull" },
  { act: "person_pick", section: "keys_person", cap: "F", codes: ["KeyF"], words: "people_pick" },
  {
    act: "people_first",
    section: "keys_person",
    cap: "Shift + F",
    codes: ["KeyF"],
    shift: true,
    words: "people_first",
  },
  {
    act: "person_ban",
    section: "keys_person",
    cap: "Shift + Z",
    codes: ["KeyZ"],
    shift: true,
    words: "key_ban",
  },
  {
    act: "person_listen",
    section: "keys_person",
    cap: "Shift + L",
    codes: ["KeyL"],
    shift: true,
    words: "key_listen_remotely",
  },
  { act: "search", section: "keys_page", cap: "/", codes: ["Slash"], words: "key_search" },
  { act: "people", section: "keys_page", cap: "P", codes: ["KeyP"], words: "key_people" },
  { act: "map", section: "keys_page", cap: "G", codes: ["KeyG"], words: "key_map" },
  { act: "messages", section: "keys_page", cap: "W", codes: ["KeyW"], words: "key_messages" },
  {
    act: "write",
    section: "keys_page",
    cap: "Shift + W",
    codes: ["KeyW"],
    shift: true,
    words: "key_write",
  },
  { act: "incidents", section: "keys_page", cap: "I", codes: ["KeyI"], words: "key_incidents" },
  { act: "monitor", section: "keys_page", cap: "O", codes: ["KeyO"], words: "key_monitor" },
  { act: "handover", section: "keys_page", cap: "H", codes: ["KeyH"], words: "key_handover" },
  {
    act: "take_over",
    section: "keys_page",
    cap: "Shift + H",
    codes: ["KeyH"],
    shift: true,
    words: "key_take_over",
  },
  { act: "widen", section: "keys_page", cap: "B", codes: ["KeyB"], words: "key_widen" },
  {
    act: "dense",
    section: "keys_page",
    cap: "Shift + B",
    codes: ["KeyB"],
    shift: true,
    words: "key_dense",
  },
  {
    act: "help",
    section: "keys_page",
    cap: "?",
    codes: ["Slash"],
    shift: true,
    words: "key_help",
  },
  { act: "escape", section: "keys_page", cap: "Esc", codes: ["Escape"], words: "key_escape" },
];

/** What still works while a dialog is open: to talk, to answer, and the dialogs themselves. All else rests behind it. */
export const BESIDE_A_DIALOG: ReadonlySet<Act> = new Set([
  "talk",
  "talk_channel",
  "claim",
  "accept",
  "monitor",
  "handover",
  "calls",
  "help",
  "escape",
]);

export type Pressed = {
  code: string;
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
};

/** What a key means: the act and, for a key of the digits' row, which channel of the wall, from 0. */
export function meaning(key: Pressed): { binding: Binding; channel: number | null } | null {
  if (key.ctrlKey || key.altKey || key.metaKey) return null;
  // The question mark is asked for by what it says: layouts put it in different places.
  const asks = key.key === "?" || key.key === "？";
  const binding = KEYS.find(({ act, codes, shift = false }) =>
    asks ? act === "help" : shift === key.shiftKey && codes.includes(key.code),
  );
  if (!binding) return null;
  const channel = binding.codes === CHANNEL_CODES ? CHANNEL_CODES.indexOf(key.code as never) : null;
  return { binding, channel };
}
