// The few incidents that matter, each with its talk group and the one tap that comes next; and the key that goes back.

import { useSignal } from "@preact/signals";
import { t } from "../i18n";
import { Camera } from "../materials/Evidence";
import type { Phone } from "../phone/phone";
import type { IncidentSummary } from "../wire/protocol";
import { Chooser } from "./Chooser";
import { listed, nextTap } from "./incidents";
import { TapKey } from "./TapKey";
import "../phone/view/switched.css";
import "./incidents.css";

export function IncidentList({ phone, all }: { phone: Phone; all: () => void }) {
  const incidents = phone.incidents.value;
  const few = listed(incidents, phone.picture.value.selected);
  if (few.length === 0) return null;
  return (
    <ul class="incidents" aria-label={t("incidents")}>
      {few.map((one, at) => (
        <Incident key={one.code} phone={phone} one={one} at={at} />
      ))}
      {(incidents.more || incidents.list.length > few.length) && (
        <li>
          <button type="button" class="all" onClick={all}>
            {t("incidents_all")}
          </button>
        </li>
      )}
    </ul>
  );
}

/** `at`: its place in the list. */
function Incident({ phone, one, at }: { phone: Phone; one: IncidentSummary; at: number }) {
  const selected = one.group?.id === phone.picture.value.selected;
  const user = phone.picture.value.user?.id;
  const next = nextTap(one);
  const problem = useSignal("");
  return (
    <li data-code={one.code} data-urgent={one.urgent ?? false} data-selected={selected}>
      <Chooser
        one={one}
        selected={selected}
        unsaid={problem.value !== ""}
        choose={({ group }) => group && phone.choice.select(group.id)}
      >
        {problem.value || one.address || one.code}
      </Chooser>
      {selected && user && one.group && <Camera user={user} group={one.group.id} incident={one.code} />}
      {next ? (
        <TapKey phone={phone} code={one.code} tap={next} at={at} problem={problem} />
      ) : (
        <span class="tapped">{t("tapped_done")}</span>
      )}
    </li>
  );
}

/** Shown after the group one was in was taken away: why nobody talks there. Where one is now, the page says anyway. */
export function LeftNotice({ phone }: { phone: Phone }) {
  const { left } = phone.incidents.value;
  if (!left) return null;
  const seen = () => {
    phone.incidents.value = { ...phone.incidents.peek(), left: null };
  };
  return (
    <p class="switched left" role="status" data-why={left.why}>
      <span>{t(`left_${left.why}`, { title: left.title })}</span>
      <button type="button" class="back" onClick={seen}>
        {t("close")}
      </button>
    </p>
  );
}

/** Shown after the server switched the group by rule: what it is, and the way back. */
export function SwitchedNotice({ phone }: { phone: Phone }) {
  const { switched } = phone.incidents.value;
  if (!switched) return null;
  const back = phone.picture.value.groups.find(({ id }) => id === switched.back);
  return (
    <p class="switched" role="status">
      <span>{t("switched_to", { title: switched.title || switched.group.name })}</span>
      {back && (
        <button type="button" class="back" onClick={() => phone.choice.select(back.id)}>
          {t("switched_back", { group: back.name })}
        </button>
      )}
    </p>
  );
}
