// Why there was silence where a voice was asked for: beside the key that asked, until the next order or for a while.

import { useEffect } from "preact/hooks";
import { Problem } from "../account/api";
import { refusalWords, t } from "../i18n";
import { Unplayable } from "./player";
import { NothingSaid, player } from "./recordings";
import "./recordings.css";

const SHOWN_MS = 8_000;

/** `of`: the key, or else the recording, that could not be heard. */
export function Unheard({ of }: { of: string }) {
  const failed = player.failed.value;
  const ours = failed?.of === of ? failed : null;
  useEffect(() => {
    if (!ours) return;
    const timer = window.setTimeout(() => {
      if (player.failed.peek() === ours) player.failed.value = null;
    }, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [ours]);
  return (
    ours && (
      <span class="unheard" role="alert">
        {unheardWords(ours.why)}
      </span>
    )
  );
}

export function unheardWords(why: unknown): string {
  if (why instanceof NothingSaid) return t("no_recordings");
  if (why instanceof Unplayable) return t("unplayable");
  return refusalWords(why instanceof Problem ? why.code : "unreachable");
}
