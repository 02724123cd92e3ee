// Lets a person be woken while the page is closed, or says that the browser forbids it.

import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../ui/icons";
import { allowWaking, lookForWaking, wakeState } from "./wake";
import "./wake.css";

export function WakeKey() {
  useEffect(() => void lookForWaking(), []);
  const state = wakeState.value;
  if (state === "off") return null;
  if (state === "ask") {
    return (
      <button type="button" class="wake" onClick={() => void allowWaking()}>
        <Icon.clock /> {t("wake_allow")}
      </button>
    );
  }
  return (
    <p class="wake" data-state={state} role="status">
      {t(`wake_${state}`)}
    </p>
  );
}
