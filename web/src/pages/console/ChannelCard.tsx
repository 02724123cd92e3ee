// One channel of the wall: who talks and how loud, who waits and who listens, how it sounds, its talk key.

import { useEffect, useRef } from "preact/hooks";
import type { ConsoleDesk } from "../../console/desk";
import { patchOf } from "../../console/dispatch";
import { CHANNEL_CAPS, LAST_S } from "../../console/keymap";
import { silenced, soundOf, withMute, withNextEar, withSolo, withVolume } from "../../console/mix";
import { type Air, airOf, type Channel, clock } from "../../console/wall";
import { t } from "../../i18n";
import { clockWords } from "../../i18n/moments";
import { SayAgain } from "../../recordings/Replay";
import { Icon } from "../../ui/icons";
import { Twice } from "../../ui/Twice";
import type { Call } from "../../wire/protocol";
import { now } from "./now";

export function ChannelCard({
  desk,
  channel,
  number,
}: {
  desk: ConsoleDesk;
  channel: Channel;
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
          title={channel.name}
          onClick={() => desk.choose(channel.id)}
        >
          {channel.name}
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
      <Controls desk={desk} channel={channel} air={air} heard={heard} />
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
  return t("temporary_until", { time: clockWords(call.ends_ms) });
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
          {air.last.by.name} · {ago(now.value - air.last.burst)}
        </span>
      )}
    </p>
  );
}

export function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return t("ago_now");
  return minutes < 60 ? t("ago_minutes", { minutes }) : t("ago_hours", { hours: Math.floor(minutes / 60) });
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
        <span title={t("console_online", { online: presence.online })}>
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

type ControlsProps = { desk: ConsoleDesk; channel: Channel; air: Air; heard: boolean };

function Controls({ desk, channel, air, heard }: ControlsProps) {
  const { id, name } = channel;
  const desks = desk.sound.value;
  const { volume, muted, ear } = soundOf(desks, id);
  const call = desk.phone.affairs.value.calls[channel.brought?.call ?? ""];
  const floorless = call?.duplex === true || call?.kind === "ambient";
  const revocable = air.state === "taken" && !air.over && !floorless;
  const named = (words: string) => ({ "aria-label": `${words} ${name}`, title: words });
  return (
    <div class="controls">
      <button
        type="button"
        role="switch"
        aria-checked={heard}
        {...named(t("console_listen"))}
        disabled={id === desk.phone.picture.value.selected || channel.brought !== null}
        onClick={() => desk.toggleListening(id)}
      >
        {heard ? <Icon.speaker /> : <Icon.speakerOff />}
      </button>
      <button
        type="button"
        class="letter"
        aria-pressed={muted}
        {...named(t("console_mute"))}
        onClick={() => (desk.sound.value = withMute(desks, id))}
      >
        M
      </button>
      <button
        type="button"
        class="letter"
        aria-pressed={desks.solo.includes(id)}
        {...named(t("console_solo"))}
        onClick={() => (desk.sound.value = withSolo(desks, id))}
      >
        S
      </button>
      <button
        type="button"
        class="letter"
        data-ear={ear}
        {...named(`${t("console_ear")} ${t(`ear_${ear}`)}`)}
        onClick={() => (desk.sound.value = withNextEar(desks, id))}
      >
        {t(`ear_${ear}_short`)}
      </button>
      <input
        type="range"
        min="0"
        max="1"
        step="0.05"
        value={volume}
        aria-label={`${t("console_volume")} ${name}`}
        onInput={(event) => (desk.sound.value = withVolume(desks, id, Number(event.currentTarget.value)))}
      />
      <span class="break" />
      {channel.brought?.why === "call" && <EndCall desk={desk} call={channel.brought.call} />}
      <SayAgain
        group={id}
        seconds={LAST_S}
        floor={desk.phone.picture.value.floors[id]}
        label={`${t("last_30s")} ${name}`}
      />
      {revocable && desk.phone.picture.value.rights.includes("revoke_floor") && (
        <button
          type="button"
          {...named(t("console_revoke"))}
          onClick={() => desk.ask({ type: "floor_revoke_request", group: id })}
        >
          <Icon.stop />
        </button>
      )}
      <button
        type="button"
        class="key"
        data-talk-key
        disabled={!channel.mayTalk}
        aria-label={`${t("console_talk")} ${name}`}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.preventDefault();
          event.currentTarget.setPointerCapture(event.pointerId);
          desk.talk(event.pointerId, [channel], event.timeStamp);
        }}
        onPointerUp={(event) => desk.release(event.pointerId)}
        onPointerCancel={(event) => desk.release(event.pointerId)}
        onLostPointerCapture={(event) => desk.release(event.pointerId)}
        onContextMenu={(event) => event.preventDefault()}
      >
        <Icon.mic /> {t("console_talk")}
      </button>
    </div>
  );
}

/** Leaving them ends them. */
const OF_TWO: ReadonlySet<string> = new Set(["private", "first_to_answer", "ambient"]);

/** Leaves the call; ends it for all where one began it or has the right (强拆). */
function EndCall({ desk, call }: { desk: ConsoleDesk; call: string }) {
  const { rights, user } = desk.phone.picture.value;
  const known = desk.phone.affairs.value.calls[call];
  const ends = rights.includes("force_end") || known?.by.id === user?.id;
  return (
    <>
      <button type="button" class="word" onClick={() => desk.ask({ type: "call_leave", call })}>
        {t("hang_up")}
      </button>
      {ends && known && !OF_TWO.has(known.kind) && (
        <Twice
          key={call}
          class="word danger"
          title={t("console_force_end")}
          question={t("console_force_end_sure")}
          run={() => desk.ask({ type: "call_end", call })}
        />
      )}
    </>
  );
}
