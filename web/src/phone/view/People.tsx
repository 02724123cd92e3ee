// Who can be called: hold a name and talk, or let it ring.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { colleagues } from "../../account/people";
import { t } from "../../i18n";
import type { Phone } from "../phone";
import "./people.css";
import type { Person } from "../../wire/protocol";

export function People({ phone }: { phone: Phone }) {
  const people = useSignal<Person[]>([]);
  const wanted = useSignal("");
  const me = phone.picture.value.user?.id;
  useEffect(() => {
    if (me)
      void colleagues().then(
        (found) => (people.value = found),
        () => undefined,
      );
  }, [me, people]);
  const word = wanted.value.trim().toLowerCase();
  const shown = people.value.filter(
    ({ id, name, badge }) =>
      id !== me && (!word || name.includes(word) || (badge ?? "").toLowerCase().includes(word)),
  );
  return (
    <>
      <input
        type="search"
        class="people-search"
        placeholder={t("console_search")}
        aria-label={t("console_search")}
        value={wanted.value}
        onInput={(event) => {
          wanted.value = event.currentTarget.value;
        }}
      />
      <ul class="persons">
        {shown.map((person) => (
          <li key={person.id}>
            <span>
              {person.name} <span class="badge">{person.badge}</span>
            </span>
            <button
              type="button"
              onClick={() =>
                void phone.ask({ type: "call_start", users: [person.id] }).catch(() => undefined)
              }
            >
              {t("console_call")}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
