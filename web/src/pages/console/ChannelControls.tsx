// How one channel sounds, and what is done in it: on its card, and on a dense wall beside the dispatcher's own air.

import type { ConsoleDesk } from "../../console/desk";
import { LAST_S } from "../../console/keymap";
import { soundOf, withMute, withNextEar, withSolo, withVolume } from "../../console/mix";
import type { Air, Channel } from "../../console/wall";
import { t } from "../../i18n";
import { SayAgain } from "../../recordings/Replay";
import { Icon } from "../../ui/icons";
import { Twice } from "../../ui/Twice";

type MixerProps = {
  desk: ConsoleDesk;
  channel: Channel;
  /** Only what is not as usual: a small card has no room for the rest, and nobody may wonder why a channel is silent. */
  odd?: boolean;
};

export function Mixer({ desk, channel, odd = false }: MixerProps) {
  const { id, name } = channel;
  const desks = desk.sound.value;
  const { volume, muted, ear } = soundOf(desks, id);
  const solo = desks.solo.includes(id);
  const heard = desk.hears(id);
  const named = namedAfter(name);
  return (
    <>
      {!odd && (
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
      )}
      {(!odd || muted) && (
        <button
          type="button"
          class="letter"
          aria-pressed={muted}
          {...named(t("console_mute"))}
          onClick={() => (desk.sound.value = withMute(desks, id))}
        >
          M
        </button>
      )}
      {(!odd || solo) && (
        <button
          type="button"
          class="letter"
          aria-pressed={solo}
          {...named(t("console_solo"))}
          onClick={() => (desk.sound.value = withSolo(desks, id))}
        >
          S
        </button>
      )}
      {(!odd || ear !== "both") && (
        <button
          type="button"
          class="letter"
          data-ear={ear}
          {...named(`${t("console_ear")} ${t(`ear_${ear}`)}`)}
          onClick={() => (desk.sound.value = withNextEar(desks, id))}
        >
          {t(`ear_${ear}_short`)}
        </button>
      )}
      {!odd && (
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={volume}
          aria-label={`${t("console_volume")} ${name}`}
          onInput={(event) => (desk.sound.value = withVolume(desks, id, Number(event.currentTarget.value)))}
        />
      )}
    </>
  );
}

function namedAfter(name: string) {
  return (words: string) => ({ "aria-label": `${words} ${name}`, title: words });
}

type ControlsProps = { desk: ConsoleDesk; channel: Channel; air: Air; dense: boolean };

export function Controls({ desk, channel, air, dense }: ControlsProps) {
  const { id, name } = channel;
  const call = desk.phone.affairs.value.calls[channel.brought?.call ?? ""];
  const floorless = call?.duplex === true || call?.kind === "ambient";
  const revocable = air.state === "taken" && !air.over && !floorless;
  const named = namedAfter(name);
  return (
    <div class="controls">
      <Mixer desk={desk} channel={channel} odd={dense} />
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
        <Icon.mic /> <span class="word-of-key">{t("console_talk")}</span>
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
