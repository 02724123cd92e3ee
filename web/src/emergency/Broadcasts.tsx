// Broadcasts for this person, in the order they were made: who, when, what; to be heard from the start, confirmed, put away.

import { t } from "../i18n";
import { briefWords } from "../i18n/moments";
import { failed } from "../phone/asked";
import type { Phone } from "../phone/phone";
import { Icon } from "../ui/icons";
import type { Broadcast } from "../wire/protocol";
import "./broadcasts.css";

export function Broadcasts({ phone }: { phone: Phone }) {
  const me = phone.picture.value.user?.id;
  const shown = Object.values(phone.affairs.value.broadcasts)
    .filter(({ broadcast, receipt }) => receipt !== "acknowledged" && broadcast.by.id !== me)
    // One that is only on air is told among what this phone was brought into.
    .filter(({ broadcast }) => broadcast.text || broadcast.kind !== "live" || broadcast.burst)
    .sort((a, b) => a.broadcast.at_ms - b.broadcast.at_ms);
  return (
    <>
      {shown.map((one) => (
        <Card key={one.broadcast.id} phone={phone} one={one} />
      ))}
    </>
  );
}

function Card({ phone, one }: { phone: Phone; one: Broadcast }) {
  const { id, by, text, acknowledge, exercise, kind, burst, tier, at_ms } = one.broadcast;
  const sounds = kind === "recorded" || (kind === "live" && burst);
  const playing = phone.receipts.playing.value === id;
  const answer = kind === "roll_call" ? "answer_present" : acknowledge ? "acknowledge" : "close";
  return (
    <li class="message" data-tier={exercise ? 0 : (tier ?? 0)} data-receipt={one.receipt} data-broadcast={id}>
      <div class="said" role={(tier ?? 0) > 0 && !exercise ? "alert" : "status"}>
        <p class="of">
          {exercise && <em>{t("exercise")}</em>}
          <strong>{by.name}</strong>
          <span>{kindWords(one)}</span>
          <time dateTime={new Date(at_ms).toISOString()}>{briefWords(at_ms)}</time>
          {one.receipt === "heard" && (
            <span class="heard">
              <Icon.check /> {t("broadcast_heard")}
            </span>
          )}
        </p>
        {text && <p class="text">{text}</p>}
      </div>
      {sounds && (
        <button
          type="button"
          aria-pressed={playing}
          aria-label={t(playing ? "broadcast_stop" : "broadcast_play")}
          title={t(playing ? "broadcast_stop" : "broadcast_play")}
          onClick={() => phone.receipts.play(id)}
        >
          {playing ? <Icon.stop /> : <Icon.again />}
        </button>
      )}
      <button type="button" class="primary" onClick={() => void acknowledged(phone, one).catch(failed)}>
        {t(answer)}
      </button>
    </li>
  );
}

function kindWords({ broadcast: { kind, state } }: Broadcast): string {
  if (kind === "roll_call") return t("broadcast_roll_call");
  if (kind === "recorded") return t("broadcast_recorded");
  if (kind === "live") return t(state === "running" ? "broadcast_live" : "broadcast_was");
  return "";
}

async function acknowledged(phone: Phone, one: Broadcast): Promise<void> {
  const { id } = one.broadcast;
  await phone.receipts.acknowledge(id);
  phone.marked(id, "acknowledged");
}
