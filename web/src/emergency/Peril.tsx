// Imminent peril in the selected group: one step below an emergency, declared and taken back by who is there.

import { t } from "../i18n";
import { asked } from "../phone/asked";
import type { Phone } from "../phone/phone";
import { Twice } from "../ui/Twice";
import { uuid } from "../uuid";

export function Peril({ phone }: { phone: Phone }) {
  const group = phone.picture.value.selected;
  const condition = group ? phone.affairs.value.conditions[group] : undefined;
  const mine = condition?.by?.id === phone.picture.value.user?.id;
  if (!group || !phone.picture.value.rights.includes("peril")) return null;
  if (condition && (!mine || condition.tier !== 1)) return null;
  if (condition) {
    return (
      <button
        type="button"
        class="peril"
        onClick={() => void asked(phone, { type: "emergency_cancel", group })}
      >
        {t("peril_end")}
      </button>
    );
  }
  const declare = () =>
    void asked(phone, { type: "emergency_call", call: `ip-${uuid()}`, to: { groups: [group] }, tier: 1 });
  // Who is moved to another group between the two presses is asked anew.
  return (
    <Twice key={group} class="peril" title={t("peril_declare")} question={t("plan_confirm")} run={declare} />
  );
}
