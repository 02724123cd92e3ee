// The officer's page: group, state, button. On a wide screen the groups stay beside it.

import { useSignal } from "@preact/signals";
import { current } from "../../account/account";
import { Alerts } from "../../emergency/Alerts";
import { Peril } from "../../emergency/Peril";
import { SosButton } from "../../emergency/SosButton";
import { mayRaise } from "../../emergency/sos";
import { t } from "../../i18n";
import { AllCases } from "../../incidents/AllCases";
import { IncidentList, LeftNotice, SwitchedNotice } from "../../incidents/IncidentList";
import { EvidenceKey } from "../../materials/Evidence";
import type { Phone } from "../../phone/phone";
import { Affairs } from "../../phone/view/Affairs";
import { Deck } from "../../phone/view/Deck";
import { Presence } from "../../phone/view/Groups";
import { LeftGroup } from "../../phone/view/LeftGroup";
import { ObstacleScreen } from "../../phone/view/ObstacleScreen";
import { Status } from "../../phone/view/Status";
import { TalkButton } from "../../phone/view/TalkButton";
import { PlaceCard, PlaceSwitch } from "../../place/PlaceSwitch";
import { Heard } from "../../recordings/Heard";
import { SayAgain } from "../../recordings/Replay";
import { Unread } from "../../texts/ThreadList";
import { Drawer } from "../../ui/Drawer";
import { Ends } from "../../ui/Ends";
import { Icon } from "../../ui/icons";
import { TopBar } from "../../ui/TopBar";
import { WakeKey } from "../../wake/WakeKey";

export function TalkPage({ phone }: { phone: Phone }) {
  const choosing = useSignal(false);
  const looking = useSignal(false);
  const user = phone.picture.value.user ?? current();
  const group = phone.group.value;
  const shut = () => {
    choosing.value = false;
  };
  const tier = phone.face.value.name === "taken" ? phone.face.value.tier : 0;
  return (
    <div class="page" data-face={phone.face.value.name} data-tier={tier}>
      <TopBar name={user?.name ?? ""} badge={user?.badge} light={light(phone)}>
        <PlaceSwitch />
      </TopBar>
      <aside class="side">
        <Deck phone={phone}>
          <PlaceCard />
          <Peril phone={phone} />
          <WakeKey />
        </Deck>
      </aside>
      <main class="front">
        <button
          type="button"
          class="group"
          aria-haspopup="dialog"
          aria-expanded={choosing.value}
          onClick={() => {
            choosing.value = true;
          }}
        >
          <span class="name">{group ? <Ends of={group.name} /> : t("group")}</span>
          {group && <Presence phone={phone} group={group} />}
          <Unread count={phone.texts.unread.value} />
          <Icon.chevron />
        </button>
        <Status phone={phone} />
        <Others phone={phone} />
        <div class="matters">
          <LeftGroup phone={phone} />
          <Heard phone={phone} />
          <Alerts phone={phone} none={false} />
          <Affairs phone={phone} />
          <SwitchedNotice phone={phone} />
          <LeftNotice phone={phone} />
          <IncidentList
            phone={phone}
            all={() => {
              looking.value = true;
            }}
          />
        </div>
        <TalkButton phone={phone} />
        <div class="keys">
          {group && (
            <SayAgain group={group.id} floor={phone.picture.value.floors[group.id]} label={t("say_again")} />
          )}
          {group && user && phone.picture.value.rights.includes("report") && (
            <EvidenceKey user={user.id} group={group.id} name={group.name} />
          )}
          {mayRaise(phone, user?.id) && <SosButton phone={phone} />}
        </div>
        <p class="space">{t("talk_key")}</p>
      </main>
      {choosing.value && (
        <Drawer title={t("deck_title")} close={shut}>
          <Deck phone={phone} onChosen={shut}>
            <PlaceCard />
            <Peril phone={phone} />
            <WakeKey />
          </Deck>
        </Drawer>
      )}
      {looking.value && (
        <AllCases
          phone={phone}
          close={() => {
            looking.value = false;
          }}
        />
      )}
      <ObstacleScreen phone={phone} />
    </div>
  );
}

/** Voices that are heard beside the one that the state in large words tells of. */
function Others({ phone }: { phone: Phone }) {
  const { slots, groups } = phone.picture.value;
  const others = slots.filter(({ group }) => group !== phone.talksIn.value);
  const { brought } = phone.affairs.value;
  const nameOf = (group: string | null | undefined) =>
    groups.find(({ id }) => id === group)?.name ?? brought.find((one) => one.group === group)?.name ?? "";
  return (
    <ul class="others">
      {others.map(({ slot, group, by }) => (
        <li key={slot}>
          <Icon.speaker />
          {aloneOr(nameOf(group), by?.name ?? "")}
        </li>
      ))}
    </ul>
  );
}

/** A call that bears its talker's name does not name him twice. */
function aloneOr(group: string, name: string): string {
  return group === name ? name : t("also_heard", { group, name });
}

function light(phone: Phone): { state: "up" | "waiting" | "down"; label: string } {
  if (!phone.online.value) return { state: "down", label: t("face_no_network") };
  const path = phone.pathState.value;
  const up = phone.linkState.value === "up" && path === "connected";
  if (up) return { state: "up", label: t("connected") };
  return path === "failed"
    ? { state: "down", label: t("obstacle_no_media_path") }
    : { state: "waiting", label: t("face_connecting") };
}
