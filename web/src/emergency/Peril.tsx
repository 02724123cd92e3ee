// Imminent peril in the selected group: one step below an emergency, declared and taken back by who is there.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import type { Phone } from "../phone/phone";
import { uuid } from "../uuid";

const SURE_MS = 4_000;

export function Peril({ phone }: { phone: Phone }) {
  const armed = useSignal(false);
  const group = phone.picture.value.selected;
  const condition = group ? phone.affairs.value.conditions[group] : undefined;
  const mine = condition?.by?.id === phone.picture.value.user?.id;
  useEffect(() => {
    if (!armed.value) return;
    const timer = setTimeout(() => {
      armed.value = false;
    }, SURE_MS);
    return () => clearTimeout(timer);
  }, [armed.value, armed]);
  if (!group || !phone.picture.value.rights.includes("peril")) return null;
  if (condition && (!mine || condition.tier !== 1)) return null;
  const tap = () => {
    if (condition) return void phone.ask({ type: "emergency_cancel", group }).catch(() => undefined);
    armed.value = !armed.value;
    if (armed.value) return;
    const call = `ip-${uuid()}`;
    void phone.ask({ type: "emergency_call", call, to: { groups: [group] }, tier: 1 }).catch(() => undefined);
  };
  return (
    <button type="button" class="peril" data-armed={armed.value} onClick={tap}>
      {t(condition ? "peril_end" : armed.value ? "plan_confirm" : "peril_declare")}
    </button>
  );
}
