// What a person must see beside the talk button: a call that rings, a call or emergency he is in, a broadcast for him.

import { useEffect } from "preact/hooks";
import { Broadcasts } from "../../emergency/Broadcasts";
import { listed, refusalWords, t } from "../../i18n";
import type { Brought } from "../../wire/affairs";
import { asked, refusal } from "../asked";
import type { Phone } from "../phone";
import "./affairs.css";

/** `answers`: the talk key of this page goes where the server brought the phone; the console's goes into its channel. */
export function Affairs({ phone, answers = true }: { phone: Phone; answers?: boolean }) {
  const { ringing, brought, ended, banned } = phone.affairs.value;
  const rings = ringing.length > 0;
  useEffect(() => (rings ? ring(phone) : undefined), [phone, rings]);
  const me = phone.picture.value.user?.id;
  return (
    <ul class="affairs">
      {ringing.map((call) => (
        <li key={call.call} class="ringing">
          <span role="alert">
            {t("call_from", { name: call.by.name })}
            {call.duplex && <em> {t("person_duplex")}</em>}
          </span>
          <button
            type="button"
            class="primary"
            onClick={() => void asked(phone, { type: "call_accept", call: call.call })}
          >
            {t("accept")}
          </button>
          <button type="button" onClick={() => void asked(phone, { type: "call_refuse", call: call.call })}>
            {t("refuse")}
          </button>
        </li>
      ))}
      {brought
        .filter(({ why, by }) => why === "call" || by?.id !== me)
        .map((one) => (
          <li key={one.call} class="brought" data-tier={one.tier}>
            <span role={one.tier > 0 ? "alert" : "status"}>
              {phone.affairs.value.broadcasts[one.call]?.broadcast.exercise && (
                <em class="exercise">{t("exercise")}</em>
              )}
              {broughtWords(phone, one, me)}
              {answers && one.call === phone.brought.value?.call && <em class="here">{t("talks_here")}</em>}
            </span>
            {one.why === "call" && (
              <button type="button" onClick={() => void asked(phone, { type: "call_leave", call: one.call })}>
                {t("hang_up")}
              </button>
            )}
          </li>
        ))}
      {refusal.value && (
        <li class="refused" role="alert">
          <span>{refusalWords(refusal.value)}</span>
        </li>
      )}
      {banned && (
        <li class="talk-banned" role="status">
          <span>{bannedWords(banned.by?.name ?? "", banned.reason)}</span>
        </li>
      )}
      {phone.listenedTo.value && !phone.covert.value && (
        <li class="listened-to" role="status">
          <span>{t("listened_to")}</span>
        </li>
      )}
      {ended && (
        <li class="ended" role="status">
          <span>{ended.words}</span>
          <button
            type="button"
            onClick={() => (phone.affairs.value = { ...phone.affairs.peek(), ended: null })}
          >
            {t("close")}
          </button>
        </li>
      )}
      <Broadcasts phone={phone} />
    </ul>
  );
}

function bannedWords(by: string, reason: string): string {
  const words = by ? t("talk_banned_by", { name: by }) : t("talk_banned");
  return reason ? `${words}${t("colon")}${reason}` : words;
}

const RING_EVERY_MS = 2500;

/** Rings by sound and touch until the returned function is called. */
function ring(phone: Phone): () => void {
  const once = () => {
    phone.tone("ringing");
    navigator.vibrate?.([300, 150, 300]);
  };
  once();
  const timer = window.setInterval(once, RING_EVERY_MS);
  return () => clearInterval(timer);
}

const NAMED = 3;

/** The first few by name, the others by their number. */
function some(names: readonly string[]): string {
  const first = listed(names.slice(0, NAMED));
  return names.length > NAMED ? t("and_more", { names: first, count: names.length - NAMED }) : first;
}

function broughtWords(phone: Phone, one: Brought, me: string | undefined): string {
  const name = one.by?.name ?? "";
  if (one.why === "emergency" && one.name === name) return t("brought_emergency_own", { name });
  if (one.why !== "call") return t(`brought_${one.why}`, { name, group: one.name });
  const call = phone.affairs.value.calls[one.call];
  const others = (call?.parties ?? []).filter(({ person }) => person.id !== me);
  const joined = others.filter(({ part }) => part === "joined");
  // Of a group those are named who are there; of a call that rings, who is called.
  const who = call?.kind === "group" && joined.length > 0 ? joined : others;
  const names = one.name || some(who.map(({ person }) => person.name));
  if (call?.kind === "ambient") return t("listens_remotely_to", { names });
  if (call?.phase === "setting up") return t("call_calling", { names });
  return t(call?.duplex ? "in_duplex" : "in_call", { names });
}
