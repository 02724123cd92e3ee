// The start: the demo's people to step into, or the sign-in where there is no demo.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { current } from "../../account/account";
import { api, type Problem, type User } from "../../account/api";
import { homeOf } from "../../account/home";
import { refusalWords, t } from "../../i18n";
import { LanguageSwitch } from "../../ui/LanguageSwitch";
import { DemoPeople } from "./DemoPeople";
import { SignIn } from "./SignIn";

type Start =
  | { name: "loading" }
  | { name: "demo"; people: User[] }
  | { name: "sign_in" }
  | { name: "failed"; problem: Problem };

export function IndexPage() {
  const start = useSignal<Start>({ name: "loading" });
  const load = async () => {
    start.value = { name: "loading" };
    try {
      const people = await api.demoPeople();
      const user = current();
      if (!people && user) return location.replace(homeOf(user.roles));
      start.value = people ? { name: "demo", people } : { name: "sign_in" };
    } catch (problem) {
      start.value = { name: "failed", problem: problem as Problem };
    }
  };
  useEffect(() => void load(), []);
  return (
    <>
      <header class="bar">
        <div class="who">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <span>{t("app")}</span>
        </div>
        <LanguageSwitch />
      </header>
      <main class="sheet wide">
        <Content start={start.value} retry={() => void load()} />
      </main>
    </>
  );
}

function Content({ start, retry }: { start: Start; retry: () => void }) {
  switch (start.name) {
    case "loading":
      return <p class="hint">{t("loading")}</p>;
    case "demo":
      return <DemoPeople people={start.people} />;
    case "sign_in":
      return <SignIn />;
    case "failed":
      return (
        <>
          <h1>{refusalWords(start.problem.code)}</h1>
          <p class="hint">{t("unreachable_hint")}</p>
          <button type="button" class="primary" onClick={retry}>
            {t("retry")}
          </button>
        </>
      );
  }
}
