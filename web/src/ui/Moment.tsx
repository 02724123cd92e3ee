// A field for a day or a moment. The browser's own writes and reads dates in the language it was installed in, which is not
// that of the page; its calendar is one touch away all the same.

import { useSignal } from "@preact/signals";
import { t } from "../i18n";
import { Icon } from "./icons";
import { type Precision, read, written } from "./written";
import "./moment.css";

type MomentProps = {
  precision?: Precision;
  id?: string;
  name?: string;
  /** As an input of this precision has it; "" for none. */
  value: string;
  required?: boolean;
  set: (value: string) => void;
};

export function Moment({ precision = "datetime-local", value, required, set, ...named }: MomentProps) {
  const typed = useSignal<string | null>(null);
  const text =
    typed.value !== null && (read(typed.value, precision) ?? "") === value ? typed.value : written(value);
  const form = t(precision === "date" ? "day_form" : "moment_form");
  const wrong = text.trim() !== "" && read(text, precision) === null;
  return (
    <span class="moment" data-precision={precision}>
      <input
        {...named}
        value={text}
        required={required}
        autocomplete="off"
        placeholder={form}
        ref={(input) => input?.setCustomValidity(wrong ? t("moment_wrong", { form }) : "")}
        onInput={({ currentTarget }) => {
          typed.value = currentTarget.value;
          const now = read(currentTarget.value, precision) ?? "";
          if (now !== value) set(now);
        }}
        onBlur={() => {
          if (!wrong) typed.value = null;
        }}
      />
      <input
        class="calendar"
        type={precision}
        value={value}
        tabIndex={-1}
        aria-hidden="true"
        onClick={({ currentTarget }) => currentTarget.showPicker?.()}
        onInput={({ currentTarget }) => {
          typed.value = null;
          set(currentTarget.value);
        }}
      />
      <Icon.calendar />
    </span>
  );
}
