// The officer's SOS key and what became of the press.

import { useEffect, useMemo } from "preact/hooks";
import { t } from "../i18n";
import type { Phone } from "../phone/phone";
import { HOLD_MS, SosKey } from "./sos";
import "./sos.css";

export function SosButton({ phone }: { phone: Phone }) {
  const key = useMemo(() => new SosKey(phone), [phone]);
  const state = key.state.value;
  const mine = Object.values(phone.affairs.value.alerts).find(
    ({ alert }) => state.name === "confirmed" && alert.id === state.alert,
  );
  useEffect(() => {
    const ended = mine && ["resolved", "false_alarm", "cancelled"].includes(mine.alert.state);
    if (ended) key.over(mine.alert.id);
  }, [mine, key]);
  return (
    <div class="sos" data-state={state.name}>
      <button
        type="button"
        class="sos-key"
        style={{ "--hold": `${HOLD_MS}ms` }}
        aria-label={t("sos_label")}
        onPointerDown={(event) => {
          event.preventDefault();
          event.currentTarget.setPointerCapture(event.pointerId);
          key.down();
        }}
        onPointerUp={() => key.up()}
        onPointerCancel={() => key.up()}
        onContextMenu={(event) => event.preventDefault()}
      >
        SOS
      </button>
      {state.name === "not_sent" && (
        <p class="sos-word" role="alert">
          <strong>{t("sos_not_sent")}</strong> <a href="tel:110">{t("sos_phone")}</a>
        </p>
      )}
      {state.name === "confirmed" && (
        <p class="sos-word" role="status">
          <strong>
            {mine?.alert.claimed_by
              ? t(mine.alert.state === "acknowledged" ? "sos_acknowledged" : "sos_claimed", {
                  name: mine.alert.claimed_by.name,
                })
              : t("sos_sent", { told: state.told })}
          </strong>
          <button type="button" onClick={() => void key.cancel().catch(() => undefined)}>
            {t("sos_cancel")}
          </button>
        </p>
      )}
    </div>
  );
}
