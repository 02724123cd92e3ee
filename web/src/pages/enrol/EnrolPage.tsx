// An enrolment link: shown on GET, spent only by the button, because chat programs open links to preview them.

import { useSignal } from "@preact/signals";
import { enter } from "../../account/account";
import { api, type Problem, type User } from "../../account/api";
import { homeOf } from "../../account/home";
import { refusalWords, t } from "../../i18n";
import { Icon } from "../../ui/icons";
import { LanguageSwitch } from "../../ui/LanguageSwitch";

export function EnrolPage() {
  const user = useSignal<User | null>(null);
  const problem = useSignal<Problem | null>(null);
  const busy = useSignal(false);
  const spend = async () => {
    busy.value = true;
    problem.value = null;
    try {
      user.value = enter(await api.enrol(codeOf(location.pathname)), "device");
      // The code is spent: it need not stay in the history.
      history.replaceState(null, "", "/");
    } catch (found) {
      problem.value = found as Problem;
    }
    busy.value = false;
  };
  return (
    <>
      <header class="bar">
        <div class="who">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <span>{t("app")}</span>
        </div>
        <LanguageSwitch />
      </header>
      <main class="sheet">
        {user.value ? (
          <Done user={user.value} />
        ) : (
          <>
            <h1>{t("enrol_title")}</h1>
            <p class="hint">{t("enrol_hint")}</p>
            {problem.value && (
              <p class="problem" role="alert">
                {refusalWords(problem.value.code)}
              </p>
            )}
            <p class="actions">
              <button type="button" class="primary" disabled={busy.value} onClick={() => void spend()}>
                {t("enrol_button")}
              </button>
            </p>
          </>
        )}
      </main>
    </>
  );
}

function Done({ user }: { user: User }) {
  return (
    <>
      <h1>
        <Icon.check /> {t("enrol_done")}
      </h1>
      <p class="hint">{t("enrol_welcome", { name: user.name })}</p>
      <a class="button primary" href={homeOf(user.roles)}>
        {t("enrol_continue")}
      </a>
    </>
  );
}

function codeOf(path: string): string {
  return decodeURIComponent(/^\/enrol\/([^/]+)/.exec(path)?.[1] ?? "");
}
