// The queue of alerts: by tier, then by age. Exactly one dispatcher claims; a second learns who was first. It is the same on the
// console and on every other page a dispatcher has open, and all of them ring.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { agoWords, briefWords } from "../i18n/moments";
import { asked } from "../phone/asked";
import type { Phone } from "../phone/phone";
import { SayAgain } from "../recordings/Replay";
import { Twice } from "../ui/Twice";
import type { Alert, AlertInfo } from "../wire/protocol";
import { silent, useRinging } from "./ringer";
import "./alerts.css";

const LAST_S = 30;
const TICK_MS = 1_000;
/** Phones' clocks may be wrong by so much; and one that says more than that is wrong altogether. */
const LATE_S = { from: 30, to: 86_400 };

/** `none`: what stands there while there is no alert. */
export function Alerts({ phone, none = true }: { phone: Phone; none?: boolean }) {
  const alerts = phone.alerts.value.filter(({ queue }) => queue);
  useRinging(alerts.some(({ alert }) => alert.state === "raised"));
  if (alerts.length === 0) return none ? <p class="none">{t("console_no_alerts")}</p> : null;
  return (
    <ul class="alert-list">
      {silent.value && (
        <li class="alert-silent" role="alert">
          {t("alert_silent")}
        </li>
      )}
      {alerts.map((one) => (
        <One key={one.alert.id} phone={phone} one={one} />
      ))}
    </ul>
  );
}

function One({ phone, one }: { phone: Phone; one: Alert }) {
  const first = useSignal("");
  const note = useSignal("");
  const { alert } = one;
  // Who was first may leave it again: then nobody has it.
  useEffect(() => {
    first.value = "";
  }, [alert.state, alert.claimed_by?.id, first]);
  const mine = alert.claimed_by?.id === phone.picture.value.user?.id;
  const claim = async () => {
    const answer = await asked(phone, { type: "alert_claim", alert: alert.id });
    if (answer?.type === "alert_claimed" && !answer.yours) first.value = answer.by.name;
  };
  const acknowledge = () => void asked(phone, { type: "alert_acknowledge", alert: alert.id });
  const resolve = (outcome: "resolved" | "false_alarm") => () =>
    void asked(phone, { type: "alert_resolve", alert: alert.id, outcome, note: note.value.trim() });
  const taken = alert.claimed_by?.name ?? first.value;
  return (
    <li class="alert" data-state={alert.state} data-tier={alert.tier ?? 2}>
      <p class="of">
        <strong role={alert.state === "raised" ? "alert" : undefined}>
          <span class="visually-hidden">{t("alert_title")} </span>
          {alert.by.name} <span class="badge">{alert.by.badge}</span>
        </strong>
        <Age since={alert.raised_ms} />
      </p>
      <Late alert={alert} />
      {alert.covert && <strong class="covert">{t("alert_covert")}</strong>}
      <p class="facts">
        <span>{alert.group_name}</span>
        {alert.incident && <span class="badge">{alert.incident}</span>}
        <Place alert={alert} />
        {alert.battery != null && <span class="soft">{t("alert_battery", { percent: alert.battery })}</span>}
      </p>
      {alert.state === "raised" && <Again alert={alert} />}
      {alert.gone_ms != null && (
        <strong class="late" role="alert">
          {t("alert_gone", { time: briefWords(alert.gone_ms) })}
        </strong>
      )}
      {alert.kept === false && (
        <strong class="late" role="alert">
          {t("not_kept_yet")}
        </strong>
      )}
      {taken && (
        <span role={first.value ? "alert" : undefined}>
          {t("console_claimed_by", { name: taken })}
          {alert.state === "acknowledged" && ` · ${t("alert_told")}`}
        </span>
      )}
      {mine && (
        <input
          class="note"
          maxLength={2000}
          placeholder={t("alert_note")}
          aria-label={t("alert_note")}
          value={note.value}
          onInput={(event) => {
            note.value = event.currentTarget.value;
          }}
        />
      )}
      <div class="acts">
        {alert.state === "raised" && (
          <button type="button" class="primary" onClick={() => void claim()}>
            {t("console_claim")}
          </button>
        )}
        {mine && alert.state === "claimed" && (
          <button type="button" class="primary" onClick={acknowledge}>
            {t("console_acknowledge")}
          </button>
        )}
        {mine && (
          <>
            <Twice title={t("console_resolve")} run={resolve("resolved")} />
            <Twice title={t("console_false_alarm")} run={resolve("false_alarm")} />
          </>
        )}
        {alert.group && <SayAgain group={alert.group} seconds={LAST_S} label={t("last_30s")} />}
      </div>
    </li>
  );
}

/** It could not be sent when it was pressed: who reads it must know how old the danger is. Phones' clocks differ a little. */
function Late({ alert: { pressed_ms, raised_ms } }: { alert: AlertInfo }) {
  const seconds = Math.round((raised_ms - pressed_ms) / 1000);
  if (seconds < LATE_S.from || seconds > LATE_S.to) return null;
  return (
    <strong class="late">
      {t("alert_sent_late", { time: briefWords(pressed_ms, { seconds: true }), minutes: minutes(seconds) })}
    </strong>
  );
}

/** Why it rings again. */
function Again({ alert: { left_by, escalated = 0 } }: { alert: AlertInfo }) {
  if (!left_by && !escalated) return null;
  const words = left_by
    ? t("alert_left", { name: left_by.name })
    : t("alert_escalated", { count: escalated });
  return (
    <strong class="late" role="alert">
      {words}
    </strong>
  );
}

/** How long it is open, in minutes and seconds, by this page's own clock. */
function Age({ since }: { since: number }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [now]);
  return <time class="age">{minutes(Math.max(0, Math.round((now.value - since) / 1000)))}</time>;
}

/** Seconds as minutes and seconds, after an hour with hours. */
function minutes(seconds: number): string {
  const two = (number: number) => String(number).padStart(2, "0");
  const [hours, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours ? `${hours}:${two(rest)}` : rest}:${two(seconds % 60)}`;
}

function Place({ alert }: { alert: AlertInfo }) {
  const { place } = alert;
  if (!place) return <span class="soft">{t("console_no_place")}</span>;
  const age = agoWords(alert.raised_ms - place.at_ms, true);
  return (
    <span class="soft">
      {t("console_place", { lon: place.longitude.toFixed(5), lat: place.latitude.toFixed(5), age })}
    </span>
  );
}
