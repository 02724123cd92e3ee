// What is entered and not saved is not lost by a click elsewhere: first it is asked.

import { signal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";
import { Question } from "../../ui/Question";

/** The forms that hold what the server has not: a panel may have several. One that closes is cleaned away up to a
 * frame after the next has opened, so each takes back its own mark only. */
const holding = new Set<symbol>();
const waiting = signal<(() => void) | null>(null);

/** Says of the form that calls it whether it holds what the server has not; when it closes it holds nothing. */
export function useHold(unsaved: () => boolean): void {
  const mark = useRef(Symbol());
  useSignalEffect(() => {
    if (unsaved()) holding.add(mark.current);
    else holding.delete(mark.current);
  });
  useEffect(() => () => void holding.delete(mark.current), []);
}

/** Goes elsewhere: at once, or when the person agrees to lose what is not saved. */
export function leave(go: () => void): void {
  if (holding.size > 0) waiting.value = go;
  else go();
}

export function Leaving() {
  useEffect(() => {
    // Of the page itself the browser asks, in its own words.
    const ask = (event: BeforeUnloadEvent) => {
      if (holding.size > 0) event.preventDefault();
    };
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, []);
  const go = waiting.value;
  if (!go) return null;
  return (
    <Question
      words={t("admin_unsaved")}
      stay={{ words: t("admin_stay"), act: stay }}
      go={{
        words: t("admin_discard"),
        act: () => {
          holding.clear();
          stay();
          go();
        },
      }}
    />
  );
}

function stay(): void {
  waiting.value = null;
}
