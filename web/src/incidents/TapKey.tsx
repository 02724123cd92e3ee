// The one tap that comes next: it reports what its owner read on it, once, however often a finger trembles.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { refusalWords, t } from "../i18n";
import type { Phone } from "../phone/phone";
import { onceHeld } from "../ui/press";
import { RequestRefused } from "../wire/link";
import type { Tap } from "./incidents";

/** A word that has stood under a finger for less than this was not what the finger meant. */
const READ_MS = 600;

type TapKeyProps = {
  phone: Phone;
  code: string;
  tap: Tap;
  /** Where in the list it stands: what others move comes under the finger like a new word. */
  at: number;
  /** Why the last tap was not taken. */
  problem: Signal<string>;
};

export function TapKey({ phone, code, tap, at, problem }: TapKeyProps) {
  const asking = useSignal(false);
  const read = useRead(`${at}/${tap}`);
  const report = async () => {
    if (!read || asking.peek()) return;
    asking.value = true;
    try {
      await phone.ask({ type: "incident_report", code, tap });
      problem.value = "";
    } catch (found) {
      // The key stays as it was: whoever reads why presses it again.
      problem.value = found instanceof RequestRefused ? refusalWords(found.code) : t("text_not_sent");
    } finally {
      asking.value = false;
    }
  };
  return (
    <button
      type="button"
      class="tap"
      aria-disabled={!read || asking.value}
      onKeyDown={onceHeld}
      onClick={() => void report()}
    >
      {t(`tap_${tap}`)}
    </button>
  );
}

/** Whether `what` has stood there long enough to be read. */
function useRead(what: string): boolean {
  const read = useSignal("");
  useEffect(() => {
    const timer = setTimeout(() => {
      read.value = what;
    }, READ_MS);
    return () => {
      clearTimeout(timer);
      read.value = "";
    };
  }, [what, read]);
  return read.value === what;
}
