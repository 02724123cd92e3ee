// A group or person to search for: of those that were found and one's own, and of all that the server finds while one types.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import { labelled, type Named } from "./labels";

const PAUSE_MS = 250;
const OFFERED = 20;
const PATHS = { group: "/groups", user: "/people" } as const;

type ChoiceProps = {
  field: keyof typeof PATHS;
  /** The id that is chosen, "" for none. */
  value: string;
  near: readonly Named[];
  changed: (id: string) => void;
};

export function Choice({ field, value, near, changed }: ChoiceProps) {
  const typed = useSignal<string | null>(null);
  const far = useSignal<readonly Named[]>([]);
  const offered = labelled([...far.value, ...near]);
  const shown = typed.value ?? offered.find(({ id }) => id === value)?.label ?? value;
  useEffect(() => {
    const text = typed.value?.trim();
    if (!text) return;
    let gone = false;
    const timer = window.setTimeout(
      () =>
        void authorised<{ items: Named[] }>(
          "GET",
          `${PATHS[field]}?limit=${OFFERED}&q=${encodeURIComponent(text)}`,
        ).then(
          ({ items }) => {
            if (gone) return;
            far.value = items;
            const whole = labelled([...items, ...near]).find(({ label }) => label === text);
            if (whole) changed(whole.id);
          },
          () => undefined,
        ),
      PAUSE_MS,
    );
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [typed.value]);
  return (
    <label>
      <span>{t(`archive_${field}`)}</span>
      <input
        name={field}
        list={`archive-${field}`}
        autocomplete="off"
        placeholder={t("archive_any")}
        value={shown}
        // A name that is none would be searched for as if nothing were said.
        ref={(input) => input?.setCustomValidity(shown.trim() && !value ? t("archive_choose") : "")}
        onInput={({ currentTarget: { value: text } }) => {
          typed.value = text;
          changed(offered.find(({ label }) => label === text)?.id ?? "");
        }}
      />
      <datalist id={`archive-${field}`}>
        {offered.map(({ id, label }) => (
          <option key={id} value={label} />
        ))}
      </datalist>
    </label>
  );
}
