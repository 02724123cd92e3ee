// One channel of the wall: who talks, who listens, its volume, its talk key.

import { useSignal } from "@preact/signals";
import { t } from "../../i18n";
import type { Phone } from "../../phone/phone";
import { Presence } from "../../phone/view/Groups";
import { SayAgain } from "../../recordings/Replay";
import { Icon } from "../../ui/icons";
import { idleFloor } from "../../wire/picture";
import type { GroupSummary } from "../../wire/protocol";

const LAST_S = 30;

export function Channel({ phone, group }: { phone: Phone; group: GroupSummary }) {
  const volume = useSignal(1);
  const { floors, selected, slots } = phone.picture.value;
  const floor = floors[group.id] ?? idleFloor;
  const slot = slots.find((carried) => carried.group === group.id);
  const heard = group.id === selected || phone.listened.value.includes(group.id);
  const condition = phone.affairs.value.conditions[group.id];
  const participant = phone.floorState.value;
  const talking = participant.group === group.id && participant.phase.name === "has_permission";
  const by = talking ? phone.picture.value.user : (slot?.by ?? (floor.state === "taken" ? floor.by : null));
  const level = slot ? (phone.levels.value[slot.slot] ?? 0) : 0;
  return (
    <li
      class="channel"
      data-selected={group.id === selected}
      data-air={talking ? "mine" : by ? "taken" : "idle"}
      data-tier={condition?.tier ?? slot?.tier ?? 0}
    >
      <header>
        <button
          type="button"
          class="name"
          aria-current={group.id === selected}
          onClick={() => phone.select(group.id)}
        >
          {group.name}
        </button>
        {condition && <span class="condition">{t("console_emergency")}</span>}
      </header>
      <p class="talker">{by ? by.name : t("console_quiet")}</p>
      <meter class="level" min={0} max={1} value={Math.min(1, level * 2)} aria-hidden="true" />
      <p class="who">
        <Presence phone={phone} group={group} />
      </p>
      <div class="controls">
        <button
          type="button"
          role="switch"
          aria-checked={heard}
          aria-label={`${t("console_listen")} ${group.name}`}
          disabled={group.id === selected}
          onClick={() => phone.toggleListening(group.id)}
        >
          {heard ? <Icon.ear /> : <Icon.speakerOff />}
        </button>
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={volume.value}
          aria-label={`${t("console_volume")} ${group.name}`}
          onInput={(event) => {
            volume.value = Number(event.currentTarget.value);
            phone.setVolume(group.id, volume.value);
          }}
        />
        <SayAgain group={group.id} seconds={LAST_S} label={`${t("last_30s")} ${group.name}`} />
        {by && !talking && phone.picture.value.rights.includes("revoke_floor") && (
          <button
            type="button"
            aria-label={`${t("console_revoke")} ${group.name}`}
            title={t("console_revoke")}
            onClick={() =>
              void phone.ask({ type: "floor_revoke_request", group: group.id }).catch(() => undefined)
            }
          >
            <Icon.stop />
          </button>
        )}
        <button
          type="button"
          class="key"
          data-talk-key
          disabled={!group.may_talk}
          aria-label={`${t("console_talk")} ${group.name}`}
          onPointerDown={(event) => {
            if (event.button !== 0) return;
            event.preventDefault();
            event.currentTarget.setPointerCapture(event.pointerId);
            if (!heard) phone.toggleListening(group.id);
            phone.pressIn(group.id, event.timeStamp);
          }}
          onPointerUp={() => phone.lift()}
          onPointerCancel={() => phone.lift()}
          onContextMenu={(event) => event.preventDefault()}
        >
          <Icon.mic /> {t("console_talk")}
        </button>
      </div>
    </li>
  );
}
