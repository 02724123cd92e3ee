// What is entered and not saved is not lost by a click elsewhere: first it is asked.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";

/** The form that holds what the server has not. A form that closes is cleaned away up to a frame after
 * the next one has opened, so each takes back its own mark only. */
const holding = signal<symbol | null>(null);
const waiting = signal<(() => void) | null>(null);

/** Says of a form whether it holds what the server has not. */
export function hold(form: symbol, unsaved: boolean): void {
  if (unsaved) holding.value = form;
  else if (holding.peek() === form) holding.value = null;
}

/** Goes elsewhere: at once, or when the person agrees to lose what is not saved. */
export function leave(go: () => void): void {
  if (holding.peek()) waiting.value = go;
  else go();
}

export function Leaving() {
  useEffect(() => {
    // Of the page itself the browser asks, in its own words.
    const ask = (event: BeforeUnloadEvent) => {
      if (holding.peek()) event.preventDefault();
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
            holding.value = null;
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
