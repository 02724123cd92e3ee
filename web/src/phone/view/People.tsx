// Contacts: hold a name and talk at once, or open it to ring, to talk both ways, to write.

import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { refusalWords, t } from "../../i18n";
import { useContacts } from "../../people/contacts";
import { Further } from "../../people/Further";
import { arranged, joined, type Listed, ROWS, standing, usePresence } from "../../people/presence";
import type { Written } from "../../texts/texts";
import type { Where } from "../../texts/threads";
import { Icon } from "../../ui/icons";
import { Settling } from "../../ui/settling";
import type { Request } from "../../wire/link";
import { asked, refusal } from "../asked";
import type { Phone } from "../phone";
import { Status } from "./Status";
import "./people.css";

type PeopleProps = {
  phone: Phone;
  onWrite: (where: Where, name: string) => void;
  /** A call has begun: it is led beside the talk button. */
  onCalled?: (() => void) | undefined;
};

export function People({ phone, onWrite, onCalled }: PeopleProps) {
  const word = useSignal("");
  const open = useSignal<string | null>(null);
  const me = phone.picture.value.user?.id;
  const there = usePresence();
  const { people: contacts, failed } = useContacts(word.value, me);
  const found = word.value.trim()
    ? contacts.filter(({ id }) => id !== me).map((one) => ({ ...one, present: there.get(one.id) ?? null }))
    : joined(contacts, there, me);
  const all = arranged(found, "all");
  const rows = useSignal(ROWS);
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
      {failed && (
        <p class="problem" role="alert">
          {t("people_failed")}
        </p>
      )}
      {!failed && found.length === 0 && word.value && <p class="people-hint">{t("people_none")}</p>}
      <ul class="persons">
        {all.slice(0, rows.value).map((one) => (
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
            {open.value === one.id && <Ways phone={phone} one={one} onWrite={onWrite} onCalled={onCalled} />}
          </li>
        ))}
      </ul>
      <Further of={all.length} rows={rows} />
      <Below phone={phone} />
    </>
  );
}

/** What became of a touch, below the list: nothing moves under the finger that holds a name. */
function Below({ phone }: { phone: Phone }) {
  const { ended } = phone.affairs.value;
  const why = refusal.value ? refusalWords(refusal.value) : ended?.words;
  if (why) {
    return (
      <p class="below refused" role="alert">
        {why}
      </p>
    );
  }
  if (!phone.floorState.value.held) return null;
  return (
    <div class="below" aria-hidden="true">
      <Status phone={phone} />
    </div>
  );
}

/**
 * Down: the call stands with the loudspeaker of the other, and this phone asks for its floor; up: the floor is given back. Who
 * scrolls the list calls nobody.
 */
function HoldToCall({ phone, one }: { phone: Phone; one: Listed }) {
  const held = useRef(false);
  const settling = useMemo(() => new Settling(), []);
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
  const ended = ({ pointerId }: PointerEvent) => {
    settling.drop(pointerId);
    up();
  };
  useEffect(
    () => () => {
      settling.clear();
      up();
    },
    [],
  );
  return (
    <button
      type="button"
      class="hold"
      data-talk-key
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        const at = event.timeStamp;
        event.currentTarget.setPointerCapture(event.pointerId);
        settling.down(event, () => void down(at));
      }}
      onPointerMove={(event) => settling.moved(event)}
      onPointerUp={(event) => {
        settling.up(event.pointerId);
        up();
      }}
      onPointerCancel={ended}
      onLostPointerCapture={ended}
      onContextMenu={(event) => event.preventDefault()}
    >
      <span class="dot" />
      <span class="name">{one.name}</span>
      <span class="badge">{one.badge}</span>
      {one.present?.busy && <span class="busy">{t("person_busy")}</span>}
      <span class="visually-hidden">{t("people_hold_name", { name: one.name })}</span>
    </button>
  );
}

async function begun(phone: Phone, user: string): Promise<string | null> {
  const answer = await asked(phone, { type: "call_start", kind: "private", users: [user] });
  return answer?.type === "call" ? answer.group : null;
}

function Ways({ phone, one, onWrite, onCalled }: PeopleProps & { one: Listed }) {
  const told = useSignal("");
  const { rights } = phone.picture.value;
  useEffect(() => {
    told.value = "";
  }, [told]);
  const ask = (request: Request) => async () => {
    if (await asked(phone, request)) onCalled?.();
  };
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
            disabled={told.value !== ""}
            onClick={() => {
              phone.texts.send({ user: one.id }, callBack).then(
                () => (told.value = t("leader_sent")),
                () => (told.value = t("text_not_sent")),
              );
            }}
          >
            {told.value || t("person_call_back")}
          </button>
        </>
      )}
    </div>
  );
}
