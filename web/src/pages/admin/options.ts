// What a group may set about its floor and its calls: entered in seconds and one by one, sent as the server has it.

import type { Key } from "../../i18n/zh";
import type { Field } from "./Editor";
import type { Values } from "./record";

type Part = "floor" | "call";
type Option = {
  part: Part;
  /** As the server calls it; what ends with `_ms` is entered in seconds. */
  name: string;
  kind: "check" | "number";
  title: Key;
  hint?: Key;
  /** Nothing entered is "never". */
  never?: boolean;
};

export const OPTIONS: readonly Option[] = [
  { part: "floor", name: "transmit_limit_ms", kind: "number", title: "admin_transmit_limit" },
  { part: "floor", name: "retry_after_ms", kind: "number", title: "admin_retry_after" },
  { part: "floor", name: "end_of_media_ms", kind: "number", title: "admin_end_of_media" },
  { part: "floor", name: "revoke_grace_ms", kind: "number", title: "admin_revoke_grace" },
  { part: "floor", name: "queueing", kind: "check", title: "admin_queueing", hint: "admin_queueing_hint" },
  { part: "floor", name: "queue_limit", kind: "number", title: "admin_queue_limit" },
  { part: "floor", name: "queue_answer_ms", kind: "number", title: "admin_queue_answer" },
  { part: "floor", name: "audio_cut_in", kind: "check", title: "admin_cut_in", hint: "admin_cut_in_hint" },
  {
    part: "floor",
    name: "dual_floor",
    kind: "check",
    title: "admin_dual_floor",
    hint: "admin_dual_floor_hint",
  },
  {
    part: "call",
    name: "hang_ms",
    kind: "number",
    title: "admin_hang",
    hint: "admin_hang_hint",
    never: true,
  },
  { part: "call", name: "maximum_ms", kind: "number", title: "admin_call_maximum" },
  { part: "call", name: "least", kind: "number", title: "admin_call_least" },
];

const HEADINGS: Record<Part, Key> = { floor: "admin_floor", call: "admin_calls" };
/** Calls of other kinds begin and end by themselves, or not at all. */
const STANDING = new Set<unknown>(["prearranged", "broadcast"]);
const inSeconds = ({ name }: Option) => name.endsWith("_ms");
const fieldName = (option: Option) => (inSeconds(option) ? option.name.replace(/_ms$/, "_s") : option.name);

/** The fields of the form, under a heading for each part. */
export const optionFields: readonly Field[] = OPTIONS.map((option, at) => ({
  name: fieldName(option),
  sent: `${option.part}.${option.name}`,
  title: option.title,
  kind: option.kind,
  ...(option.hint ? { hint: option.hint } : {}),
  ...(inSeconds(option) ? { step: "any" } : {}),
  ...(option.never ? { optional: true } : {}),
  ...(option.part === OPTIONS[at - 1]?.part ? {} : { heading: HEADINGS[option.part] }),
  ...(option.part === "call" ? { when: (values: Values) => STANDING.has(values.kind) } : {}),
}));

/** What the server has as what the form shows. */
export function shown(values: Values): Values {
  const out = { ...values };
  for (const option of OPTIONS) {
    const value = (values[option.part] as Values)[option.name];
    out[fieldName(option)] = inSeconds(option) && typeof value === "number" ? value / 1000 : value;
  }
  return out;
}

/** What the form shows as what the server takes; what it does not show of `held` stays. */
export function sent(mine: Values, held: Values): Values {
  const out: Values = { ...mine };
  const parts: Record<Part, Values> = {
    floor: { ...(held.floor as Values) },
    call: { ...(held.call as Values) },
  };
  for (const option of OPTIONS) {
    const name = fieldName(option);
    const value = mine[name];
    delete out[name];
    parts[option.part][option.name] =
      inSeconds(option) && typeof value === "number" ? Math.round(value * 1000) : value;
  }
  return { ...out, ...parts };
}
