// What a person must see beside the talk button: a call that rings, a call or emergency he is in, a broadcast for him.

import { Broadcasts } from "../../emergency/Broadcasts";
import { t } from "../../i18n";
import type { Brought } from "../../wire/affairs";
import type { Phone } from "../phone";
import "./affairs.css";

export function Affairs({ phone }: { phone: Phone }) {
  const { ringing, brought } = phone.affairs.value;
  const me = phone.picture.value.user?.id;
  return (
    <ul class="affairs">
      {ringing.map((call) => (
        <li key={call.call} class="ringing">
          <span>{t("call_from", { name: call.by.name })}</span>
          <button
            type="button"
            class="primary"
            onClick={() => void phone.ask({ type: "call_accept", call: call.call }).catch(() => undefined)}
          >
            {t("accept")}
          </button>
          <button
            type="button"
            onClick={() => void phone.ask({ type: "call_refuse", call: call.call }).catch(() => undefined)}
          >
            {t("refuse")}
          </button>
        </li>
      ))}
      {brought
        .filter(({ why, by }) => why === "call" || by?.id !== me)
        .map((one) => (
          <li key={one.call} class="brought" data-tier={one.tier}>
            <span>{broughtWords(phone, one, me)}</span>
            {one.why === "call" && (
              <button
                type="button"
                onClick={() => void phone.ask({ type: "call_leave", call: one.call }).catch(() => undefined)}
              >
                {t("hang_up")}
              </button>
            )}
          </li>
        ))}
      <Broadcasts phone={phone} />
    </ul>
  );
}

function broughtWords(phone: Phone, one: Brought, me: string | undefined): string {
  if (one.why !== "call") return t(`brought_${one.why}`, { name: one.by?.name ?? "", group: one.name });
  const others = (phone.affairs.value.calls[one.call]?.parties ?? []).filter(
    ({ person }) => person.id !== me,
  );
  return t("in_call", { names: one.name || others.map(({ person }) => person.name).join("、") });
}
