// Contacts: hold a name and talk at once, or open it to ring, to talk both ways, to write.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";
import { useContacts } from "../../people/contacts";
import { arranged, joined, type Listed, standing, usePresence } from "../../people/presence";
import type { Written } from "../../texts/texts";
import type { Where } from "../../texts/threads";
import { Icon } from "../../ui/icons";
import type { Request } from "../../wire/link";
import type { Phone } from "../phone";
import "./people.css";

type PeopleProps = { phone: Phone; onWrite: (where: Where, name: string) => void };

export function People({ phone, onWrite }: PeopleProps) {
  const word = useSignal("");
  const open = useSignal<string | null>(null);
  const me = phone.picture.value.user?.id;
  const there = usePresence();
  const contacts = useContacts(word.value, me);
  const found = word.value.trim()
    ? contacts.filter(({ id }) => id !== me).map((one) => ({ ...one, present: there.get(one.id) ?? null }))
    : joined(contacts, there, me);
  return (
    <>
      <input
        type="search"
        class="people-search"
        placeholder={t("admin_search")}
        aria-label={t("admin_search")}
        value={word.value}
        onInput={(event) => {
          word.value = event.currentTarget.value;
        }}
      />
      <p class="people-hint">{t("people_hold")}</p>
      <ul class="persons">
        {arranged(found, "all").map((one) => (
          <li key={one.id} data-standing={standing(one.present)}>
            <div class="row">
              <HoldToCall phone={phone} one={one} />
              <button
                type="button"
                class="more"
                aria-expanded={open.value === one.id}
                aria-label={`${t("people_more")} ${one.name}`}
                onClick={() => (open.value = open.value === one.id ? null : one.id)}
              >
                <Icon.chevron />
              </button>
            </div>
            {open.value === one.id && <Ways phone={phone} one={one} onWrite={onWrite} />}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Down: the call stands with the loudspeaker of the other, and this phone asks for its floor; up: the floor is given back. */
function HoldToCall({ phone, one }: { phone: Phone; one: Listed }) {
  const held = useRef(false);
  const down = async (at: number) => {
    held.current = true;
    const known = Object.values(phone.affairs.peek().calls).find(
      ({ kind, duplex, parties }) =>
        kind === "private" && !duplex && parties.some(({ person }) => person.id === one.id),
    );
    const group = known?.group ?? (await begun(phone, one.id));
    if (group && held.current) phone.key.pressIn(group, at);
  };
  const up = () => {
    if (!held.current) return;
    held.current = false;
    phone.key.lift();
  };
  return (
    <button
      type="button"
      class="hold"
      data-talk-key
      aria-label={t("people_hold_name", { name: one.name })}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        void down(event.timeStamp);
      }}
      onPointerUp={up}
      onPointerCancel={up}
      onLostPointerCapture={up}
      onContextMenu={(event) => event.preventDefault()}
    >
      <span class="dot" />
      <span class="name">{one.name}</span>
      {one.present?.busy && <span class="busy">{t("person_busy")}</span>}
      <span class="badge">{one.badge}</span>
    </button>
  );
}

async function begun(phone: Phone, user: string): Promise<string | null> {
  try {
    const answer = await phone.ask({ type: "call_start", kind: "private", users: [user] });
    return answer.type === "call" ? answer.group : null;
  } catch {
    return null;
  }
}

function Ways({ phone, one, onWrite }: { phone: Phone; one: Listed; onWrite: PeopleProps["onWrite"] }) {
  const asked = useSignal("");
  const { rights } = phone.picture.value;
  useEffect(() => {
    asked.value = "";
  }, [asked]);
  const ask = (request: Request) => () => void phone.ask(request).catch(() => undefined);
  const ring = (duplex: boolean): Request => ({
    type: "call_start",
    kind: "private",
    users: [one.id],
    answering: "manual",
    duplex,
  });
  const callBack: Written = { kind: "callback" };
  return (
    <div class="ways">
      <button type="button" onClick={ask(ring(false))}>
        <Icon.call /> {t("person_ring")}
      </button>
      <button type="button" onClick={ask(ring(true))}>
        {t("person_duplex")}
      </button>
      {rights.includes("text") && (
        <>
          <button type="button" onClick={() => onWrite({ user: one.id }, one.name)}>
            {t("person_text")}
          </button>
          <button
            type="button"
            disabled={asked.value !== ""}
            onClick={() => {
              phone.texts.send({ user: one.id }, callBack).then(
                () => (asked.value = t("leader_sent")),
                () => (asked.value = t("text_not_sent")),
              );
            }}
          >
            {asked.value || t("person_call_back")}
          </button>
        </>
      )}
    </div>
  );
}
