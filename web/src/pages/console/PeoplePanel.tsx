// The people one can see: who is there, found by name, badge or pinyin; a click opens what can be done.

import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ConsoleDesk } from "../../console/desk";
import { gatheredNobody } from "../../console/gathering";
import { t } from "../../i18n";
import { useContacts } from "../../people/contacts";
import { Further } from "../../people/Further";
import {
  arranged,
  FILTERS,
  type Filter,
  joined,
  type Listed,
  ROWS,
  standing,
  usePresence,
} from "../../people/presence";
import { Icon } from "../../ui/icons";
import { PersonActs, Stand } from "./PersonCard";

export function PeoplePanel({ desk }: { desk: ConsoleDesk }) {
  const word = useSignal("");
  const filter = useSignal<Filter>("all");
  const me = desk.phone.picture.value.user?.id;
  const there = usePresence();
  const { people: contacts, of, failed } = useContacts(word.value, me);
  const sought = word.value.trim();
  const settled = sought === "" || sought === of;
  // While one searches, only what the server found counts: it knows the pinyin.
  const found = sought
    ? contacts.filter(({ id }) => id !== me).map((one) => ({ ...one, present: there.get(one.id) ?? null }))
    : joined(contacts, there, me);
  const all = arranged(found, filter.value);
  const rows = useSignal(ROWS);
  const shown = all.slice(0, rows.value);
  const order = shown.map(({ id }) => id).join(" ");
  const field = useRef<HTMLInputElement>(null);
  const taken = useRef(false);
  const take = useCallback(() => {
    taken.current = false;
    field.current?.blur();
    if (!desk.listed.peek().includes(desk.person.peek() ?? "")) desk.stepPerson(1);
  }, [desk]);
  // With the list that is seen, not a frame later: a key pressed meanwhile would open, and ring up, somebody else.
  // Nor may it choose among those who were there before the word was typed.
  useLayoutEffect(() => {
    desk.listed.value = settled && order ? order.split(" ") : [];
    if (settled && taken.current) take();
  }, [desk, order, settled, take]);
  // Nor is the first letter of a name a command.
  const searching = desk.searching.value;
  useLayoutEffect(() => {
    if (!searching) return;
    field.current?.focus();
    desk.searching.value = false;
  }, [desk, searching]);
  const online = [...there.values()].filter((one) => one.online).length;
  return (
    <>
      <input
        ref={field}
        type="search"
        class="people-search"
        placeholder={t("admin_search")}
        aria-label={t("admin_search")}
        value={word.value}
        onInput={(event) => {
          word.value = event.currentTarget.value;
          taken.current = false;
        }}
        onKeyDown={(event) => {
          // From the field into the list: what can be done with a person has keys of its own.
          if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            desk.stepPerson(event.key === "ArrowDown" ? 1 : -1);
          } else if (event.key === "Enter" && !event.isComposing) {
            if (settled) take();
            else taken.current = true;
          }
        }}
      />
      <div class="filters" role="radiogroup" aria-label={t("console_people")}>
        {FILTERS.map((one) => (
          // biome-ignore lint/a11y/useSemanticElements: buttons that act like radios are drawn as one strip
          <button
            key={one}
            type="button"
            role="radio"
            aria-checked={filter.value === one}
            onClick={() => (filter.value = one)}
          >
            {t(`people_${one}`)}
            {one === "online" && ` ${online}`}
          </button>
        ))}
      </div>
      <Picked desk={desk} />
      {failed && (
        <p class="problem" role="alert">
          {t("people_failed")}
        </p>
      )}
      {!failed && shown.length === 0 && (word.value || filter.value !== "all") && (
        <p class="none">{t("people_none")}</p>
      )}
      <ul class="persons">
        {shown.map((one) => (
          <Row key={one.id} desk={desk} one={one} />
        ))}
      </ul>
      <Further of={all.length} rows={rows} />
    </>
  );
}

/** Those who are called together, and how. */
function Picked({ desk }: { desk: ConsoleDesk }) {
  const people = desk.pickedPeople();
  const { rights } = desk.phone.picture.value;
  if (people.length === 0) return null;
  return (
    <section class="picked" aria-label={t("people_picked", { count: people.length })}>
      <p>
        <strong>{t("people_picked", { count: people.length })}</strong>{" "}
        {people.map(({ name }) => name).join("、")}
      </p>
      <p class="acts">
        {rights.includes("private_call") && people.length > 1 && (
          <button type="button" class="primary" data-act="people_first" onClick={() => desk.callFirst()}>
            <Icon.call /> {t("people_first")}
          </button>
        )}
        {rights.includes("group_making") && (
          <button type="button" onClick={() => desk.gather({ ...gatheredNobody, people })}>
            <Icon.people /> {t("temporary_title")}
          </button>
        )}
        <button type="button" onClick={() => (desk.picked.value = new Map())}>
          {t("key_clear_targets")}
        </button>
      </p>
    </section>
  );
}

function Row({ desk, one }: { desk: ConsoleDesk; one: Listed }) {
  const open = desk.person.value === one.id;
  const picked = desk.picked.value.has(one.id);
  const { rights } = desk.phone.picture.value;
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (open) row.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  return (
    <li ref={row} data-user={one.id} data-standing={standing(one.present)} data-open={open}>
      <div class="row">
        <button
          type="button"
          class="one"
          aria-expanded={open}
          onClick={() => (desk.person.value = open ? null : one.id)}
        >
          <span class="dot" />
          <span class="name">{one.name}</span>
          <span class="badge">{one.badge}</span>
          {one.banned && <span class="flag">{t("admin_banned")}</span>}
          <span class="stand">
            <Stand desk={desk} user={one.id} />
          </span>
        </button>
        {(rights.includes("private_call") || rights.includes("group_making")) && (
          <button
            type="button"
            class="pick"
            data-act={open ? "person_pick" : undefined}
            aria-pressed={picked}
            aria-label={`${t("people_pick")} ${one.name}`}
            title={t("people_pick")}
            onClick={() => desk.pick(one.id, one.name)}
          >
            {picked ? <Icon.check /> : <Icon.plus />}
          </button>
        )}
        {rights.includes("private_call") && (
          <button
            type="button"
            aria-label={`${t("console_call")} ${one.name}`}
            title={t("console_call")}
            onClick={() => desk.call(one.id, {})}
          >
            <Icon.call />
          </button>
        )}
      </div>
      {open && <PersonActs desk={desk} user={one.id} banned={one.banned} />}
    </li>
  );
}
