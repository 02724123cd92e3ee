// One channel of the wall: who talks and how loud, who waits and who listens, how it sounds, its talk key.

import { useEffect, useRef } from "preact/hooks";
import type { ConsoleDesk } from "../../console/desk";
import { patchOf } from "../../console/dispatch";
import { CHANNEL_CAPS } from "../../console/keymap";
import { silenced } from "../../console/mix";
import { type Air, airOf, type Channel, clock } from "../../console/wall";
import { t } from "../../i18n";
import { agoWords, briefWords } from "../../i18n/moments";
import { Ends } from "../../ui/Ends";
import { Icon } from "../../ui/icons";
import type { Call } from "../../wire/protocol";
import { Controls } from "./ChannelControls";
import { now } from "./now";

export function ChannelCard({
  desk,
  channel,
  dense,
  number,
}: {
  desk: ConsoleDesk;
  channel: Channel;
  dense: boolean;
  number: number;
}) {
  const { phone } = desk;
  const card = useRef<HTMLLIElement>(null);
  const air = airOf(phone.picture.value, phone.affairs.value, phone.floors.value, channel.id);
  const chosen = desk.current.value?.id === channel.id;
  const marked = desk.marked.value.includes(channel.id);
  const heard = desk.hears(channel.id);
  useEffect(() => {
    if (chosen) card.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <li
      ref={card}
      class="channel"
      data-group={channel.id}
      data-chosen={chosen}
      data-marked={marked}
      data-air={air.state}
      data-tier={air.tier}
      data-heard={heard && !silenced(desk.sound.value, channel.id)}
    >
      <header>
        {CHANNEL_CAPS[number] && <kbd>{CHANNEL_CAPS[number]}</kbd>}
        <button
          type="button"
          class="name"
          aria-current={chosen}
          aria-label={channel.name}
          title={channel.name}
          onClick={() => desk.choose(channel.id)}
        >
          <Ends of={channel.name} />
        </button>
        {channel.mayTalk && (
          <button
            type="button"
            class="mark"
            aria-pressed={marked}
            aria-label={`${t("key_target")} ${channel.name}`}
            title={t("key_target")}
            onClick={() => desk.mark(channel.id)}
          >
            {marked ? <Icon.check /> : <Icon.plus />}
          </button>
        )}
      </header>
      <Talker air={air} heard={heard} />
      <Meter desk={desk} slot={air.slot} mine={air.state === "mine"} />
      <People desk={desk} channel={channel} air={air} />
      <Controls desk={desk} channel={channel} air={air} dense={dense} />
    </li>
  );
}

function Flags({ desk, channel, air }: { desk: ConsoleDesk; channel: Channel; air: Air }) {
  const patch = patchOf(desk.dispatch.value, channel.id);
  const monitoring = desk.dispatch.value.monitoring;
  const call = desk.phone.affairs.value.calls[channel.brought?.call ?? ""];
  const ambient = call?.kind === "ambient";
  return (
    <>
      {air.tier > 0 && (
        <span class="flag" data-flag="emergency">
          {t(air.tier === 2 ? "emergency" : "imminent_peril")}
        </span>
      )}
      {patch && (
        <span class="flag" data-flag="patch" title={patch.groups.map(({ name }) => name).join(" + ")}>
          <Icon.link /> {t("console_patched")}
        </span>
      )}
      {monitoring && desk.monitors(channel.id) && (
        <span
          class="flag"
          data-flag="monitor"
          role="img"
          aria-label={t(monitoring.hidden ? "console_monitored_hidden" : "console_monitored")}
          title={t(monitoring.hidden ? "console_monitored_hidden" : "console_monitored")}
        >
          <Icon.eye />
        </span>
      )}
      {channel.brought?.why === "call" && (
        <span class="flag">{ambient ? t("console_listens_remotely") : callWords(call)}</span>
      )}
      {!channel.mayTalk && !ambient && <span class="flag">{t("listen_only_group")}</span>}
    </>
  );
}

/** "Call", or until when a temporary group lasts at most. */
function callWords(call: Call | undefined): string {
  if (call?.kind !== "group" || !call.ends_ms) return t("console_in_call");
  return t("temporary_until", { time: briefWords(call.ends_ms) });
}

/** Who talks and for how long; else who spoke last and how long ago. */
function Talker({ air, heard }: { air: Air; heard: boolean }) {
  if (air.by) {
    return (
      <p class="talker">
        <span class="who">{air.state === "mine" ? t("me") : air.by.name}</span>
        <span class="time">{air.sinceMs && clock(now.value - air.sinceMs)}</span>
      </p>
    );
  }
  if (air.state === "asking") {
    return (
      <p class="talker">
        <span class="who">
          {air.position ? t("face_queued", { position: air.position }) : t("face_requesting")}
        </span>
      </p>
    );
  }
  return (
    <p class="talker">
      <span class="who">{heard ? t("console_quiet") : t("console_not_heard")}</span>
      {air.last && (
        <span class="time" title={t("console_spoke_last", { name: air.last.by.name })}>
          {air.last.by.name} · {agoWords(now.value - air.last.burst)}
        </span>
      )}
    </p>
  );
}

/** Moves 25 times a second: drawn apart, so that nothing else is. */
function Meter({ desk, slot, mine }: { desk: ConsoleDesk; slot: number | null; mine: boolean }) {
  const { phone } = desk;
  const heard = slot === null ? 0 : (phone.levels.value[slot] ?? 0) * 2;
  const level = Math.min(1, mine ? phone.level.value : heard);
  return (
    <div class="level" aria-hidden="true">
      <i style={{ transform: `scaleX(${level.toFixed(2)})` }} />
    </div>
  );
}

function People({ desk, channel, air }: { desk: ConsoleDesk; channel: Channel; air: Air }) {
  const presence = desk.phone.picture.value.presence[channel.id];
  const call = desk.phone.affairs.value.calls[channel.brought?.call ?? ""];
  const members = presence?.members || call?.people || channel.members;
  const listening = presence?.listening ?? call?.present;
  return (
    <p class="people">
      <span title={t("console_listening_of", { listening: listening ?? 0, members })}>
        <Icon.ear /> {`${listening ?? "–"}/${members}`}
      </span>
      {presence && (
        <span class="online" title={t("console_online", { online: presence.online })}>
          <Icon.people /> {presence.online}
        </span>
      )}
      {presence?.monitors && presence.monitors.length > 0 && (
        <span title={t("console_monitors", { names: presence.monitors.map(({ name }) => name).join("、") })}>
          <Icon.eye /> {presence.monitors.length}
        </span>
      )}
      {air.queued > 0 && (
        <span class="queue">
          <Icon.queue /> {t("console_queue", { queued: air.queued })}
        </span>
      )}
      <Flags desk={desk} channel={channel} air={air} />
    </p>
  );
}
