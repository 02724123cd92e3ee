// The queue of alerts: by tier, then by age. Exactly one dispatcher claims; a second learns who was first.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../../i18n";
import type { Phone } from "../../phone/phone";
import type { Alert } from "../../wire/protocol";
import { ring } from "./ringer";

export function Alerts({ phone }: { phone: Phone }) {
  const alerts = phone.alerts.value;
  const unclaimed = alerts.some(({ alert, queue }) => queue && alert.state === "raised" && !alert.covert);
  useEffect(() => (unclaimed ? ring() : undefined), [unclaimed]);
  if (alerts.length === 0) return <p class="none">{t("console_no_alerts")}</p>;
  return (
    <ul>
      {alerts.map((one) => (
        <One key={one.alert.id} phone={phone} one={one} />
      ))}
    </ul>
  );
}

function One({ phone, one }: { phone: Phone; one: Alert }) {
  const first = useSignal("");
  const { alert, queue } = one;
  const mine = alert.claimed_by?.id === phone.picture.value.user?.id;
  const claim = async () => {
    const answer = await phone.ask({ type: "alert_claim", alert: alert.id });
    if (answer.type === "alert_claimed" && !answer.yours) first.value = answer.by.name;
  };
  const resolve = (outcome: "resolved" | "false_alarm") => () =>
    void phone.ask({ type: "alert_resolve", alert: alert.id, outcome }).catch(() => undefined);
  return (
    <li class="alert" data-state={alert.state} data-tier={alert.tier ?? 2}>
      <strong>
        {alert.by.name} <span class="badge">{alert.by.badge}</span>
      </strong>
      <span>{alert.group_name}</span>
      <Place one={one} />
      {alert.claimed_by && <span>{t("console_claimed_by", { name: alert.claimed_by.name })}</span>}
      {first.value && <span role="alert">{t("console_claimed_by", { name: first.value })}</span>}
      <div class="acts">
        {queue && alert.state === "raised" && (
          <button type="button" class="primary" onClick={() => void claim().catch(() => undefined)}>
            {t("console_claim")}
          </button>
        )}
        {mine && alert.state === "claimed" && (
          <button
            type="button"
            class="primary"
            onClick={() =>
              void phone.ask({ type: "alert_acknowledge", alert: alert.id }).catch(() => undefined)
            }
          >
            {t("console_acknowledge")}
          </button>
        )}
        {mine && (
          <>
            <button type="button" onClick={resolve("resolved")}>
              {t("console_resolve")}
            </button>
            <button type="button" onClick={resolve("false_alarm")}>
              {t("console_false_alarm")}
            </button>
          </>
        )}
      </div>
    </li>
  );
}

function Place({ one }: { one: Alert }) {
  const { place } = one.alert;
  if (!place) return <span class="soft">{t("console_no_place")}</span>;
  const age = Math.max(0, Math.round((one.alert.raised_ms - place.at_ms) / 1000));
  return (
    <span class="soft">
      {t("console_place", { lon: place.longitude.toFixed(5), lat: place.latitude.toFixed(5), age })}
    </span>
  );
}
