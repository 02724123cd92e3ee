// The switch for sharing one's place, always in sight; and what was told last, with source and age of each part.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../ui/icons";
import "./place.css";
import { sharing } from "./sharing";

export function PlaceSwitch() {
  useEffect(() => sharing.start(), []);
  const on = sharing.on.value;
  const state = on ? (sharing.told.value ? "shared" : "waiting") : "off";
  return (
    <button
      type="button"
      class="quiet place"
      role="switch"
      aria-checked={on}
      data-state={state}
      aria-label={t("place_share")}
      title={words()}
      onClick={() => sharing.toggle()}
    >
      <Icon.pin />
    </button>
  );
}

export function PlaceCard() {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => {
      now.value = Date.now();
    }, 1_000);
    return () => clearInterval(timer);
  }, [now]);
  const told = sharing.told.value;
  return (
    <section class="place-card">
      <label>
        <input type="checkbox" checked={sharing.on.value} onChange={() => sharing.toggle()} />
        {t("place_share")}
      </label>
      <p class="hint">{words()}</p>
      {told && (
        <ul class="hint">
          <li>
            {told.position
              ? t("place_position", {
                  metres: Math.round(told.position.accuracy_m),
                  age: Math.max(0, Math.round((now.value - told.position.at_ms) / 1000)),
                })
              : t("place_no_position")}
          </li>
          {told.battery && <li>{t("place_battery", { percent: told.battery.percent })}</li>}
          <li>{t("place_no_cell")}</li>
        </ul>
      )}
    </section>
  );
}

function words(): string {
  const wish = sharing.wish.value;
  if (!sharing.on.value) return t("place_off");
  if (!wish) return t("place_waiting");
  if (!wish.wanted) return t("place_off_duty");
  if (sharing.refused.value) return t("place_refused");
  return t("place_every", { seconds: Math.round(wish.interval_s) });
}
