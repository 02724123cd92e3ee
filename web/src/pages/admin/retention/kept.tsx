// What rules and holds have in common: what they speak of, why, and who said so.

import { MAX_REASON_CHARS } from "../../../generated/limits.json";
import { t } from "../../../i18n";
import { momentWords } from "../../../i18n/moments";
import type { Key } from "../../../i18n/zh";
import { Chips, Finder, type Found } from "../Finder";

export type Kind = "group" | "incident" | "user" | "recording";

export const KINDS: Readonly<Record<Kind, Key>> = {
  group: "keep_group",
  incident: "keep_incident",
  user: "keep_user",
  recording: "keep_recording",
};

/** Does what is asked; whether it was done. Why not is said above the lists. */
export type Ask = (method: string, path: string, body?: unknown, headers?: HeadersInit) => Promise<boolean>;

export const named = ({ target, target_name }: { target: string; target_name: string }) =>
  target_name ? (
    <>
      {target_name} <span class="soft">{target}</span>
    </>
  ) : (
    target
  );

export function whenWhom(ms: number, name: string): string {
  return name ? t("admin_by_whom", { when: momentWords(ms), name }) : momentWords(ms);
}

export type Target = { kind: Kind; found: Found | null };

/** What a rule or hold speaks of: a group or person that is looked for, a case or recording by its number. */
export function TargetField(props: {
  kinds: readonly Kind[];
  value: Target;
  set: (to: Target) => void;
  id: string;
}) {
  const { kinds, value, set, id } = props;
  const looked = value.kind === "group" ? "/groups" : value.kind === "user" ? "/people" : null;
  return (
    <>
      <label>
        {t("keep_what")}
        <select
          value={value.kind}
          onChange={(event) => set({ kind: event.currentTarget.value as Kind, found: null })}
        >
          {kinds.map((kind) => (
            <option key={kind} value={kind}>
              {t(KINDS[kind])}
            </option>
          ))}
        </select>
      </label>
      <div class="field">
        <label for={id}>{t(looked ? "keep_which" : "keep_number")}</label>
        {looked === null ? (
          <input
            id={id}
            required
            maxLength={128}
            autocomplete="off"
            value={value.found?.id ?? ""}
            onInput={({ currentTarget: { value: typed } }) =>
              set({ ...value, found: typed.trim() ? { id: typed.trim(), name: typed.trim() } : null })
            }
          />
        ) : value.found ? (
          <Chips of={[value.found]} remove={() => set({ ...value, found: null })} />
        ) : (
          <Finder
            key={looked}
            id={id}
            path={looked}
            words={looked === "/groups" ? "admin_search_groups" : "admin_search"}
            inside={[]}
            choose={(found) => set({ ...value, found })}
          />
        )}
      </div>
    </>
  );
}

export function Reason({ value, set, words }: { value: string; set: (to: string) => void; words: Key }) {
  return (
    <label>
      {t(words)}
      <input
        name="reason"
        required
        maxLength={MAX_REASON_CHARS}
        autocomplete="off"
        value={value}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
}
