// All threads, the latest first, each with its last message and what waits.

import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import type { Phone } from "../phone/phone";
import { bodyOf } from "./ThreadView";
import type { Texts } from "./texts";
import { keyOf, type Thread, type Where } from "./threads";
import "./texts.css";

type ThreadListProps = { phone: Phone; texts: Texts; onOpen: (where: Where) => void };

/** Groups without a message can be written to as well: they stand below, in their own order. */
export function ThreadList({ phone, texts, onOpen }: ThreadListProps) {
  useEffect(() => {
    void texts.fetchThreads().catch(() => undefined);
  }, [texts]);
  const known = texts.list.value;
  const written = new Set(known.map(({ key }) => key));
  const quiet = phone.picture.value.groups.filter(({ id }) => !written.has(keyOf({ group: id })));
  return (
    <ul class="threads">
      {known.map((thread) => (
        <li key={thread.key} data-unread={thread.unread > 0}>
          <button type="button" onClick={() => onOpen(thread.where)}>
            <span class="name">{nameOf(phone, thread)}</span>
            <Unread count={thread.unread} />
            <span class="last">{thread.last && `${thread.last.by.name}：${bodyOf(thread.last)}`}</span>
          </button>
        </li>
      ))}
      {texts.more.value && <li class="hint">{t("text_more_threads")}</li>}
      {quiet.map(({ id, name }) => (
        <li key={id}>
          <button type="button" onClick={() => onOpen({ group: id })}>
            <span class="name">{name}</span>
            <span class="last">{t("text_none")}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function Unread({ count }: { count: number }) {
  if (count === 0) return null;
  return (
    <span class="unread" role="img" aria-label={t("text_unread", { count })}>
      {count > 99 ? "99+" : count}
    </span>
  );
}

export function nameOf(phone: Phone, thread: Pick<Thread, "where" | "person" | "groupName">): string {
  if (thread.person) return thread.person.name;
  const { where } = thread;
  if (!("group" in where)) return "";
  return phone.picture.value.groups.find(({ id }) => id === where.group)?.name ?? thread.groupName;
}
