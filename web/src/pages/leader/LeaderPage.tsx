// The leader's page: to whom on one side, two keys to hold in the middle, messages and their receipts on the other side.

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { current } from "../../account/account";
import { Alerts } from "../../emergency/Alerts";
import { t } from "../../i18n";
import { LeftNotice, SwitchedNotice } from "../../incidents/IncidentList";
import { Command, type How } from "../../leader/command";
import { everyone } from "../../leader/targets";
import type { Phone } from "../../phone/phone";
import { Affairs } from "../../phone/view/Affairs";
import { LeftGroup } from "../../phone/view/LeftGroup";
import { ObstacleScreen } from "../../phone/view/ObstacleScreen";
import { Status } from "../../phone/view/Status";
import { TalkButton } from "../../phone/view/TalkButton";
import { Icon } from "../../ui/icons";
import { TopBar } from "../../ui/TopBar";
import type { Tier } from "../../wire/protocol";
import { Hold } from "./Hold";
import { Pick } from "./Pick";
import { Say } from "./Say";
import { Sent } from "./Sent";

export function LeaderPage({ phone }: { phone: Phone }) {
  const command = useMemo(() => new Command(phone), [phone]);
  useEffect(() => command.start(), [command]);
  const how = useSignal<How>({ urgent: false, exercise: false, acknowledge: true });
  const text = useSignal("");
  const user = phone.picture.value.user ?? current();
  const up = phone.linkState.value === "up" && phone.pathState.value === "connected";
  return (
    <div class="page leader" data-face={phone.face.value.name} data-tier={0}>
      <TopBar
        name={`${t("leader")} · ${user?.name ?? ""}`}
        badge={user?.badge}
        light={{ state: up ? "up" : "waiting", label: t(up ? "connected" : "face_connecting") }}
      />
      <main class="front">
        <Summary command={command} />
        <Keys command={command} how={how.value} text={text.value} />
        <p class="word" role="status">
          {command.word.value}
        </p>
        <Ordinary command={command} />
        <Running command={command} />
        <SwitchedNotice phone={phone} />
        <LeftNotice phone={phone} />
        <LeftGroup phone={phone} />
        <Status phone={phone} />
        <Alerts phone={phone} none={false} />
        <Affairs phone={phone} />
        <TalksIn phone={phone} />
        <TalkButton phone={phone} />
      </main>
      <aside class="pick" aria-label={t("leader_pick")}>
        <Pick command={command} />
      </aside>
      <aside class="messages" aria-label={t("leader_text")}>
        <Say command={command} how={how} text={text} />
        <Sent command={command} />
      </aside>
      <ObstacleScreen phone={phone} />
    </div>
  );
}

/** Where the talk key goes while nothing more urgent has it. */
function TalksIn({ phone }: { phone: Phone }) {
  const group = phone.group.value;
  if (!group || phone.brought.value) return null;
  return <p class="talks-in">{t("leader_talks_in", { group: group.name })}</p>;
}

/** Whom the keys reach, in words; on a phone the way down to where they are chosen. */
function Summary({ command }: { command: Command }) {
  const { groups, users, ring } = command.chosen.value;
  const names = new Map(command.phone.picture.value.groups.map(({ id, name }) => [id, name]));
  const single = groups.size === 1 ? names.get([...groups][0] ?? "") : undefined;
  const parts = [
    ...(groups.size ? [single ?? t("leader_chosen_groups", { count: groups.size })] : []),
    ...(users.size ? [t("leader_chosen_people", { count: users.size })] : []),
    ...(ring ? [t("leader_chosen_area", { count: command.inArea().length })] : []),
  ];
  return (
    <button
      type="button"
      class="summary"
      onClick={() => document.querySelector(".pick")?.scrollIntoView({ block: "start" })}
    >
      <span>{t("leader_pick")}</span>
      <strong>{everyone(command.chosen.value) ? t("leader_everyone") : parts.join(" + ")}</strong>
      <Icon.chevron />
    </button>
  );
}

function Keys({ command, how, text }: { command: Command; how: How; text: string }) {
  const peril = useSignal(false);
  const tier: Tier = peril.value ? 1 : 2;
  return (
    <div class="holds">
      <Hold
        class="emergency"
        title={t("leader_hold_call")}
        hint={t("leader_hold_call_hint")}
        down={() => void command.holdCall(tier)}
        up={() => command.letGo()}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={peril.value}
          onChange={(event) => {
            peril.value = event.currentTarget.checked;
          }}
        />
        {t("leader_peril")}
      </label>
      <Hold
        class="broadcast"
        title={t("leader_hold_broadcast")}
        hint={t("leader_hold_broadcast_hint")}
        down={() => void command.holdBroadcast(how, text)}
        up={() => command.letGo()}
      />
    </div>
  );
}

/** An emergency call was refused where an ordinary one is possible. */
function Ordinary({ command }: { command: Command }) {
  const to = command.ordinary.value;
  if (!to) return null;
  return (
    <button type="button" class="ordinary" onClick={() => void command.callOrdinarily(to)}>
      {t("leader_ordinary")}
    </button>
  );
}

/** Emergency calls that this leader began and that go on. */
function Running({ command }: { command: Command }) {
  const { affairs, picture } = command.phone;
  const me = picture.value.user?.id;
  const mine = affairs.value.brought.filter(({ why, by }) => why === "emergency" && by?.id === me);
  return (
    <>
      {mine.map(({ call, group, name }) => {
        const tier = affairs.value.conditions[group]?.tier ?? 2;
        const other: Tier = tier === 2 ? 1 : 2;
        return (
          <div key={call} class="running" data-tier={tier}>
            <span role="status">
              <span class="visually-hidden">{t(tier === 2 ? "emergency" : "imminent_peril")} </span>
              {name}
            </span>
            <button type="button" onClick={() => void command.retier(call, other)}>
              {t(other === 2 ? "leader_to_emergency" : "leader_to_peril")}
            </button>
            <button type="button" class="end" onClick={() => void command.endCall(group)}>
              {t("leader_end")}
            </button>
          </div>
        );
      })}
    </>
  );
}
