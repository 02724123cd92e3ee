// Who is in a group, with which place: found page by page, for a group of the whole city has tens of thousands.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Problem } from "../../account/api";
import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import { Icon } from "../../ui/icons";
import { Finder, type Found } from "./Finder";
import { agency, may, wordsOf } from "./office";

const PAUSE_MS = 250;

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

type Page = { items: readonly Member[]; total: number; next: string | null };

type MembersProps = { id: string; foreign: boolean; changed: () => void };

export function Members({ id, foreign, changed }: MembersProps) {
  const members = useSignal<Page>({ items: [], total: 0, next: null });
  const sought = useSignal("");
  const all = useSignal(0);
  const word = useSignal("");
  const path = `/groups/${id}/members`;
  const page = (after: string | null) =>
    authorised<Page>("GET", `${path}?${new URLSearchParams({ q: sought.peek(), after: after ?? "" })}`);
  /** As many as were shown, for who looks at one far down does not want to go there again. */
  const read = async (least = members.peek().items.length) => {
    const asked = sought.peek();
    let found = await page(null);
    while (found.next && found.items.length < least) {
      const further = await page(found.next);
      found = { ...further, items: [...found.items, ...further.items] };
    }
    if (asked !== sought.peek()) return;
    members.value = found;
    if (!asked) all.value = found.total;
  };
  const more = async () => {
    const before = members.peek();
    const further = await page(before.next);
    if (members.peek() === before) members.value = { ...further, items: [...before.items, ...further.items] };
  };
  const failed = (problem: unknown) => {
    word.value = wordsOf(problem);
  };
  const pause = sought.value ? PAUSE_MS : 0;
  useEffect(() => {
    const timer = window.setTimeout(() => void read(0).catch(failed), pause);
    return () => clearTimeout(timer);
  }, [id, sought.value]);
  const turn = useRef<Promise<unknown>>(Promise.resolve());
  /** One after the other: a second tick stands on what the first one made. */
  const ask = (work: () => Promise<unknown>) => {
    turn.current = turn.current.then(async () => {
      try {
        await work();
        word.value = "";
        changed();
      } catch (problem) {
        failed(problem);
      }
      // Also when another was quicker: what he did is seen before it is changed again.
      await read().catch(failed);
    });
    return turn.current;
  };
  const now = ({ user }: Member) => members.peek().items.find((member) => member.user === user);
  const seen = (member: Member) => ({ "if-match": `"${(now(member) ?? member).version}"` });
  /** Who is in already, perhaps far down, is shown. */
  const add = ({ id: user, name }: Found) =>
    ask(() =>
      authorised("PUT", `${path}/${user}`, {}).catch((problem) => {
        if (!(problem instanceof Problem && problem.code === "conflict")) throw problem;
        sought.value = name;
      }),
    );
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
        {t("admin_members")} <span class="count">{all.value}</span>
      </h3>
      <p role="status" class="word">
        {word.value}
      </p>
      {edits && (
        <Finder
          path="/people"
          words="admin_add_member"
          inside={members.value.items.map(({ user }) => user)}
          choose={(found) => void add(found)}
        />
      )}
      {(all.value > members.value.items.length || sought.value) && (
        <input
          type="search"
          class="within"
          placeholder={t("admin_search_members")}
          aria-label={t("admin_search_members")}
          value={sought.value}
          onInput={(event) => (sought.value = event.currentTarget.value)}
        />
      )}
      <ul>
        {members.value.items.map((member) => (
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
      {members.value.next && (
        <p class="row">
          <button type="button" class="more" onClick={() => void more().catch(failed)}>
            {t("admin_more")}
          </button>
          <span class="soft">
            {t("admin_shown", { shown: members.value.items.length, total: members.value.total })}
          </span>
        </p>
      )}
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
