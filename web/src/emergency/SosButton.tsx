// The officer's SOS key and what became of the press. Of a covert SOS there is nothing to see.

import { useEffect, useMemo } from "preact/hooks";
import { t } from "../i18n";
import { failed } from "../phone/asked";
import type { Phone } from "../phone/phone";
import { useHold } from "../ui/hold";
import { Twice } from "../ui/Twice";
import { OPEN } from "../wire/affairs";
import type { AlertInfo } from "../wire/protocol";
import { SosKey, type SosState } from "./sos";
import "./sos.css";

export function SosButton({ phone }: { phone: Phone }) {
  const key = useMemo(() => new SosKey(phone), [phone]);
  const held = useHold({ down: () => key.down(), up: () => key.up(), tapped: () => key.tapped() });
  const mine = useMine(phone, key);
  const { hold_ms, covert, phone: number } = key.rules;
  const told = mine?.told ?? (key.state.value.name === "confirmed" ? key.state.value.told : null);
  // A covert one may have been raised by another page of his, whatever the rules of this key are.
  const hidden = covert || phone.covert.value;
  const state: SosState = hidden ? { name: "quiet" } : key.state.value;
  return (
    <div class="sos" data-state={state.name}>
      <button
        type="button"
        class="sos-key"
        style={{ "--hold": `${hold_ms}ms` }}
        aria-label={`SOS ${t("sos_label")}`}
        {...held}
      >
        SOS
      </button>
      {state.name === "counting" && <Countdown phone={phone} sos={key} until={state.until} />}
      {state.name === "not_sent" && (
        <p class="sos-word" role="alert">
          <strong>{t("sos_not_sent")}</strong>
          {number && <a href={`tel:${number}`}>{t("sos_phone", { number })}</a>}
          <button type="button" onClick={() => void key.cancel()}>
            {t("sos_cancel")}
          </button>
        </p>
      )}
      {state.name === "confirmed" && (
        <p class="sos-word" role="status">
          <strong>{words(mine, told)}</strong>
          {unheard(mine, told) && number && <a href={`tel:${number}`}>{t("sos_phone", { number })}</a>}
          <Twice
            key={state.alert}
            title={t("sos_cancel")}
            question={t("sos_cancel_sure")}
            run={() => void key.cancel().catch(failed)}
          />
        </p>
      )}
    </div>
  );
}

/** The alert of this person, followed: taken on it is seen and felt, closed it frees the key. */
function useMine(phone: Phone, key: SosKey): AlertInfo | null {
  const me = phone.picture.value.user?.id;
  const state = key.state.value;
  const all = Object.values(phone.affairs.value.alerts).map(({ alert }) => alert);
  const open = all.find((alert) => alert.by.id === me && OPEN.has(alert.state)) ?? null;
  const mine = state.name === "confirmed" ? (all.find(({ id }) => id === state.alert) ?? null) : open;
  const stage = mine?.state ?? null;
  const { sos } = phone.affairs.value;
  useEffect(() => (sos ? key.came() : undefined), [sos, key]);
  useEffect(() => {
    if (!mine) return;
    if (!OPEN.has(mine.state)) return key.over(mine.id);
    key.found(mine.id, mine.covert ?? false);
    if (mine.covert || stage === "raised") return;
    phone.tone("permit");
    navigator.vibrate?.(stage === "acknowledged" ? [400, 150, 400] : [200]);
  }, [stage, mine?.id, key]);
  return mine;
}

/** It is kept and will ring at whoever comes, but nobody is there now. */
function unheard(mine: AlertInfo | null, told: number | null): boolean {
  return mine !== null && told === 0 && !mine.claimed_by && mine.state === "raised" && !mine.covert;
}

function words(mine: AlertInfo | null, told: number | null): string {
  if (unheard(mine, told)) return t("sos_nobody");
  if (!mine?.claimed_by) return told === null ? t("sos_open") : t("sos_sent", { told });
  const said = mine.state === "acknowledged" ? "sos_acknowledged" : "sos_claimed";
  return t(said, { name: mine.claimed_by.name });
}

function Countdown({ phone, sos, until }: { phone: Phone; sos: SosKey; until: number }) {
  useEffect(() => {
    const timer = setInterval(() => {
      phone.now.value = performance.now();
    }, 250);
    return () => clearInterval(timer);
  }, [phone]);
  const seconds = Math.max(0, Math.ceil((until - Math.max(phone.now.value, performance.now())) / 1000));
  return (
    <p class="sos-word" role="alert">
      <strong>{t("sos_counting", { seconds })}</strong>
      <button type="button" onClick={() => void sos.cancel()}>
        {t("sos_cancel")}
      </button>
    </p>
  );
}
