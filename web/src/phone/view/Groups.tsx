// The groups of a person: which is selected, who is there, which are heard beside it.

import { t } from "../../i18n";
import { Unread } from "../../texts/ThreadList";
import { unreadIn } from "../../texts/threads";
import { Icon } from "../../ui/icons";
import { heardIn } from "../../wire/picture";
import type { GroupSummary } from "../../wire/protocol";
import type { Phone } from "../phone";

export function Presence({ phone, group }: { phone: Phone; group: GroupSummary }) {
  const known = phone.picture.value.presence[group.id];
  if (!known) return null;
  return (
    <span class="presence">{t("presence", { members: known.members, listening: known.listening })}</span>
  );
}

type GroupListProps = { phone: Phone; onChosen?: () => void; onWrite?: (group: string) => void };

export function GroupList({ phone, onChosen, onWrite }: GroupListProps) {
  const { groups: all, selected } = phone.picture.value;
  // Incidents have a list of their own, with the few that matter.
  const groups = all.filter(({ kind }) => kind !== "incident");
  return (
    <ul class="groups" aria-label={t("groups")}>
      {groups.map((group) => (
        <li key={group.id} data-selected={group.id === selected}>
          <button
            type="button"
            class="choose"
            aria-current={group.id === selected}
            onClick={() => {
              phone.choice.select(group.id);
              onChosen?.();
            }}
          >
            <span class="name">{group.name}</span>
            <span class="detail">
              {!group.may_talk && `${t("listen_only_group")} · `}
              {group.id === selected ? (
                <Presence phone={phone} group={group} />
              ) : (
                <Heard phone={phone} group={group} />
              )}
            </span>
          </button>
          {onWrite && <UnreadKey phone={phone} group={group} onWrite={onWrite} />}
          {group.id === selected ? (
            <span class="current">{t("current_group")}</span>
          ) : (
            <ListenSwitch phone={phone} group={group} />
          )}
        </li>
      ))}
    </ul>
  );
}

/** What waits to be read in the group; a tap opens it. */
function UnreadKey({
  phone,
  group,
  onWrite,
}: {
  phone: Phone;
  group: GroupSummary;
  onWrite: (group: string) => void;
}) {
  const count = unreadIn(phone.texts.threads.value, { group: group.id });
  if (count === 0) return null;
  return (
    <button type="button" class="unread-key" onClick={() => onWrite(group.id)}>
      <Icon.text />
      <Unread count={count} />
    </button>
  );
}

function Heard({ phone, group }: { phone: Phone; group: GroupSummary }) {
  const slot = heardIn(phone.picture.value, group.id);
  if (slot?.by) {
    return (
      <span class="live">
        <Icon.speaker /> {slot.by.name}
      </span>
    );
  }
  return <span>{t("members", { members: group.members })}</span>;
}

function ListenSwitch({ phone, group }: { phone: Phone; group: GroupSummary }) {
  const on = phone.choice.listened.groups.value.includes(group.id);
  return (
    <button
      type="button"
      class="listen"
      role="switch"
      aria-checked={on}
      aria-label={t("also_listen_label", { name: group.name })}
      onClick={() => phone.choice.listened.toggle(group.id)}
    >
      {on ? <Icon.ear /> : <Icon.speakerOff />}
      <span>{t("also_listen")}</span>
    </button>
  );
}
