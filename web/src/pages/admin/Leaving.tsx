// What is entered and not saved is not lost by a click elsewhere: first it is asked.

import { signal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";

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
  return go && <Question go={go} />;
}

function Question({ go }: { go: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  const stay = () => {
    waiting.value = null;
  };
  return (
    <dialog class="leaving" ref={box} aria-labelledby="leaving-words" onClose={stay}>
      <p id="leaving-words">{t("admin_unsaved")}</p>
      <p class="row">
        <button type="button" class="primary" onClick={stay}>
          {t("admin_stay")}
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            holding.clear();
            waiting.value = null;
            go();
          }}
        >
          {t("admin_discard")}
        </button>
      </p>
    </dialog>
  );
}
