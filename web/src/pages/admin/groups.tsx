// One group: its settings, and who is in it with which place.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import type { Key } from "../../i18n/zh";
import { Icon } from "../../ui/icons";
import { Delete, type Field, Form, Panel } from "./Editor";
import { Finder } from "./Finder";
import { agency, may, tree, units, wordsOf } from "./office";
import { optionFields, sent, shown } from "./options";
import { type EditorProps, unitOptions, useHeld } from "./people";

type Member = {
  user: string;
  name: string;
  badge: string;
  agency: string;
  may_talk: boolean;
  may_preempt: boolean;
  priority: number;
  version: number;
};

const KINDS: readonly (readonly [string, Key])[] = [
  ["chat", "kind_chat"],
  ["prearranged", "kind_prearranged"],
  ["broadcast", "kind_broadcast"],
  ["temporary", "kind_temporary"],
  ["incident", "kind_incident"],
];
export const kindWords = (kind: unknown) => {
  const found = KINDS.find(([each]) => each === kind);
  return found ? t(found[1]) : String(kind ?? "");
};

const FIELDS: readonly Field[] = [
  { name: "name", title: "admin_name", kind: "text", required: true },
  { name: "unit", title: "admin_unit", kind: "choice", required: true, options: unitOptions },
  {
    name: "kind",
    title: "admin_kind",
    kind: "choice",
    options: () => KINDS.map(([kind, title]) => [kind, t(title)] as const),
  },
  {
    name: "duty_unit",
    title: "admin_duty_unit",
    kind: "choice",
    options: () => [["", t("admin_no_duty_unit")], ...unitOptions()],
  },
  { name: "enabled", title: "admin_enabled", kind: "check" },
  { name: "emergency_allowed", title: "admin_emergency_allowed", kind: "check" },
  { name: "monitoring_allowed", title: "admin_monitoring_allowed", kind: "check" },
];

export function GroupPanel({ id, close, saved }: EditorProps) {
  const [found, kept] = useHeld(id === null ? null : `/groups/${id}`, {
    name: "",
    unit: tree(units.value)[0]?.unit.id ?? "",
    kind: "chat",
    duty_unit: null,
    enabled: true,
    emergency_allowed: true,
    monitoring_allowed: true,
  });
  if (typeof found === "string") return <Panel title={t("groups")} close={close} children={found} />;
  const foreign = found?.values.agency !== undefined && found.values.agency !== agency.value?.id;
  return (
    <Panel title={id === null ? t("admin_new_group") : String(found?.values.name ?? "")} close={close}>
      {foreign && <p class="hint">{t("admin_shared_group")}</p>}
      {found && !foreign && may("groups") && (
        <Form
          // A new group begins with what the server takes where nothing is said; then all of it is offered.
          {...(id === null
            ? { fields: FIELDS, path: null }
            : { fields: [...FIELDS, ...optionFields], path: `/groups/${id}`, show: shown, send: sent })}
          held={found}
          create={async (values) => saved((await authorised<{ id: string }>("POST", "/groups", values)).id)}
          kept={kept}
          saved={saved}
        />
      )}
      {id !== null && found && <Members id={id} foreign={foreign} changed={saved} />}
      {id !== null && found && !foreign && may("groups") && (
        <Delete
          path={`/groups/${id}`}
          tag={found.tag}
          later={kept}
          gone={() => {
            saved();
            close();
          }}
        />
      )}
    </Panel>
  );
}

type MembersProps = { id: string; foreign: boolean; changed: () => void };

function Members({ id, foreign, changed }: MembersProps) {
  const members = useSignal<readonly Member[]>([]);
  const word = useSignal("");
  const path = `/groups/${id}/members`;
  const read = async () => {
    members.value = await authorised<Member[]>("GET", path);
  };
  useEffect(() => void read().catch((problem) => (word.value = wordsOf(problem))), [id]);
  const turn = useRef<Promise<unknown>>(Promise.resolve());
  /** One after the other: a second tick stands on what the first one made. */
  const ask = (work: () => Promise<unknown>) => {
    turn.current = turn.current.then(async () => {
      try {
        await work();
        word.value = "";
        changed();
      } catch (problem) {
        word.value = wordsOf(problem);
      }
      // Also when another was quicker: what he did is seen before it is changed again.
      await read().catch((problem) => (word.value = wordsOf(problem)));
    });
    return turn.current;
  };
  const now = ({ user }: Member) => members.peek().find((member) => member.user === user);
  const seen = (member: Member) => ({ "if-match": `"${(now(member) ?? member).version}"` });
  const add = (user: string) => ask(() => authorised("PUT", `${path}/${user}`, {}));
  const put = (member: Member, place: Partial<Member>) =>
    ask(() => {
      const { may_talk, may_preempt, priority } = { ...(now(member) ?? member), ...place };
      const body = { may_talk, may_preempt, priority };
      return authorised("PUT", `${path}/${member.user}`, body, seen(member));
    });
  const takeOut = (member: Member) =>
    ask(() => authorised("DELETE", `${path}/${member.user}`, undefined, seen(member)));
  const edits = may("groups");
  // Each agency names its own people; the owner of a group may also send guests away.
  const own = (member: Member) => member.agency === agency.value?.id;
  return (
    <section class="part members">
      <h3>
        {t("admin_members")} <span class="count">{members.value.length}</span>
      </h3>
      <p role="status" class="word">
        {word.value}
      </p>
      {edits && (
        <Finder
          path="/people"
          words="admin_add_member"
          inside={members.value.map(({ user }) => user)}
          choose={({ id: user }) => void add(user)}
        />
      )}
      <ul>
        {members.value.map((member) => (
          <li key={member.user}>
            <span class="who">
              {member.name} <span class="badge">{member.badge}</span>
            </span>
            <div class="flags">
              <label class="check">
                <input
                  type="checkbox"
                  disabled={!edits || !own(member)}
                  checked={member.may_talk}
                  onChange={(event) => void put(member, { may_talk: event.currentTarget.checked })}
                />
                {t("admin_may_talk")}
              </label>
              <label class="check">
                <input
                  type="checkbox"
                  disabled={!edits || !own(member)}
                  checked={member.may_preempt}
                  onChange={(event) => void put(member, { may_preempt: event.currentTarget.checked })}
                />
                {t("admin_may_preempt")}
              </label>
              <Priority
                value={member.priority}
                disabled={!edits || !own(member)}
                set={(priority) => put(member, { priority })}
              />
            </div>
            {edits && (own(member) || !foreign) && (
              <button
                type="button"
                class="quiet"
                aria-label={t("admin_take_out", { name: member.name })}
                title={t("admin_take_out", { name: member.name })}
                onClick={() => void takeOut(member)}
              >
                <Icon.close />
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

type PriorityProps = { value: number; disabled: boolean; set: (to: number) => Promise<unknown> };

/** What is being typed stays, though the list is read again meanwhile. */
function Priority({ value, disabled, set }: PriorityProps) {
  const typed = useSignal<string | null>(null);
  return (
    <label class="priority">
      {t("admin_priority")}
      <input
        type="number"
        min={0}
        max={255}
        disabled={disabled}
        value={typed.value ?? value}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
        }}
        onChange={(event) =>
          void set(Number(event.currentTarget.value)).finally(() => {
            typed.value = null;
          })
        }
      />
    </label>
  );
}
