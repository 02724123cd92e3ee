import { useSignal } from "@preact/signals";
import { enter } from "../../account/account";
import { api, type Problem, type User } from "../../account/api";
import { homeOf } from "../../account/home";
import { refusalWords, roleWords, t } from "../../i18n";
import { Icon } from "../../ui/icons";

/** The server names those a visitor should meet first; the rest of the city waits behind a button. */
const FIRST = 5;

export function DemoPeople({ people }: { people: User[] }) {
  const problem = useSignal<Problem | null>(null);
  const all = useSignal(false);
  const shown = all.value ? people : people.slice(0, FIRST);
  const stepIn = async (person: User) => {
    try {
      enter(await api.stepIn(person.id), "tab");
      location.assign(homeOf(person.roles));
    } catch (found) {
      problem.value = found as Problem;
    }
  };
  return (
    <>
      <h1>{t("demo_title")}</h1>
      <p class="hint">{t("demo_hint")}</p>
      {problem.value && (
        <p class="problem" role="alert">
          {refusalWords(problem.value.code)}
        </p>
      )}
      <ul class="people">
        {shown.map((person) => (
          <li key={person.id}>
            <span class="face" aria-hidden="true">
              {person.name.slice(0, 1)}
            </span>
            <span class="about">
              <span class="name">
                {person.name} <span class="badge">{person.badge}</span>
              </span>
              <span class="roles">{person.roles.map(roleWords).join(" · ")}</span>
            </span>
            <a
              class="button"
              href={`${homeOf(person.roles)}?as=${encodeURIComponent(person.id)}`}
              target="_blank"
              rel="noopener"
              aria-label={t("demo_new_window_label", { name: person.name })}
              title={t("demo_new_window")}
            >
              <Icon.window />
            </a>
            <button type="button" class="primary" onClick={() => void stepIn(person)}>
              {t("demo_enter")}
            </button>
          </li>
        ))}
      </ul>
      {shown.length < people.length && (
        <button
          type="button"
          class="quiet more"
          onClick={() => {
            all.value = true;
          }}
        >
          {t("demo_more", { count: people.length - shown.length })}
        </button>
      )}
    </>
  );
}
