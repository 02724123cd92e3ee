import { useSignal } from "@preact/signals";
import { enter } from "../../account/account";
import { api, type Problem } from "../../account/api";
import { homeOf } from "../../account/home";
import { refusalWords, t } from "../../i18n";

export function SignIn() {
  const problem = useSignal<Problem | null>(null);
  const busy = useSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    problem.value = null;
    try {
      const user = enter(await api.signIn(String(form.get("name")), String(form.get("password"))), "device");
      location.assign(homeOf(user.roles));
    } catch (found) {
      problem.value = found as Problem;
      busy.value = false;
    }
  };
  return (
    <>
      <h1>{t("sign_in")}</h1>
      <p class="hint">{t("sign_in_hint")}</p>
      <form onSubmit={(event) => void submit(event)}>
        {problem.value && (
          <p class="problem" role="alert">
            {refusalWords(problem.value.code)}
          </p>
        )}
        <label>
          {t("name")}
          <input name="name" autocomplete="username" autocapitalize="none" required maxLength={128} />
        </label>
        <label>
          {t("password")}
          <input name="password" type="password" autocomplete="current-password" required maxLength={256} />
        </label>
        <button type="submit" class="primary" disabled={busy.value}>
          {t("sign_in")}
        </button>
      </form>
    </>
  );
}
