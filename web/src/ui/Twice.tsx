// A button that acts when it is pressed a second time soon after the first: for what ends or begins what others rely on.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { onceHeld, useOwnPress } from "./press";

const SURE_MS = 5_000;

type TwiceProps = {
  title: string;
  /** What stands there between the two; else the title, asked once more. */
  question?: string;
  /** What it is done to, for those who hear the page and do not see where the button stands. */
  about?: string;
  class?: string;
  /** The name of the act, for those who look for it on the page. */
  act?: string;
  run: () => void;
};

export function Twice({ title, question, about, class: looks, act, run }: TwiceProps) {
  const armed = useSignal(false);
  const isOwn = useOwnPress();
  useEffect(() => {
    if (!armed.value) return;
    const timer = setTimeout(() => {
      armed.value = false;
    }, SURE_MS);
    return () => clearTimeout(timer);
  }, [armed.value, armed]);
  const words = armed.value ? (question ?? t("once_more", { what: title })) : title;
  return (
    <button
      type="button"
      class={looks}
      aria-label={about && `${words} ${about}`}
      data-act={act}
      data-armed={armed.value}
      onKeyDown={onceHeld}
      onClick={(event) => {
        if (!isOwn(event)) return;
        if (armed.value) run();
        armed.value = !armed.value;
      }}
    >
      {words}
    </button>
  );
}
