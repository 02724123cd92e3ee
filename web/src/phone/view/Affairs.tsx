// What a person must see beside the talk button: a call that rings, a call or emergency he is in, a broadcast for him.

import { useEffect } from "preact/hooks";
import { t } from "../../i18n";
import type { Brought } from "../../wire/affairs";
import type { Broadcast } from "../../wire/protocol";
import type { Phone } from "../phone";
import "./affairs.css";

export function Affairs({ phone }: { phone: Phone }) {
  const { ringing, brought, broadcasts } = phone.affairs.value;
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
      {Object.values(broadcasts)
        .filter(
          ({ broadcast, receipt }) => broadcast.text && receipt !== "acknowledged" && broadcast.by.id !== me,
        )
        .map((one) => (
          <Message key={one.broadcast.id} phone={phone} one={one} />
        ))}
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

function Message({ phone, one }: { phone: Phone; one: Broadcast }) {
  const { id, by, text, acknowledge, exercise } = one.broadcast;
  useEffect(() => {
    void phone.ask({ type: "receipt", broadcast: id, state: "delivered" }).catch(() => undefined);
  }, [phone, id]);
  return (
    <li class="message">
      <span>
        {exercise && <em>{t("exercise")} </em>}
        <strong>{by.name}</strong> {text}
      </span>
      <button
        type="button"
        class="primary"
        onClick={() => void acknowledged(phone, one).catch(() => undefined)}
      >
        {acknowledge ? t("acknowledge") : t("close")}
      </button>
    </li>
  );
}

async function acknowledged(phone: Phone, one: Broadcast): Promise<void> {
  await phone.ask({ type: "receipt", broadcast: one.broadcast.id, state: "acknowledged" });
  const { broadcasts } = phone.affairs.value;
  phone.affairs.value = {
    ...phone.affairs.value,
    broadcasts: { ...broadcasts, [one.broadcast.id]: { ...one, receipt: "acknowledged" } },
  };
}
