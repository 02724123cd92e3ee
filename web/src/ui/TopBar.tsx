// The strip on top of every page: who is here, whether the server is there, language, the way out.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { leave } from "../account/account";
import { t } from "../i18n";
import { Icon } from "./icons";
import { LanguageSwitch } from "./LanguageSwitch";
import { Question } from "./Question";

export type TopBarProps = {
  name: string;
  badge?: string | undefined;
  light?: { state: "up" | "waiting" | "down"; label: string };
  /** What a page adds, before the language. */
  children?: ComponentChildren;
};

export function TopBar({ name, badge, light, children }: TopBarProps) {
  const leaving = useSignal(false);
  return (
    <header class="bar">
      <div class="who">
        {light && <span class="light" data-state={light.state} role="img" aria-label={light.label} />}
        <h1>
          {name}
          {badge && <span class="badge">{badge}</span>}
        </h1>
      </div>
      {children}
      <LanguageSwitch />
      <button
        type="button"
        class="quiet"
        aria-label={t("sign_out")}
        title={t("sign_out")}
        onClick={() => {
          leaving.value = true;
        }}
      >
        <Icon.exit />
      </button>
      {leaving.value && (
        <Question
          words={t("sign_out_sure")}
          stay={{ words: t("sign_out_stay"), act: () => (leaving.value = false) }}
          go={{ words: t("sign_out"), act: () => void signOut() }}
          modal={false}
        />
      )}
    </header>
  );
}

async function signOut(): Promise<void> {
  await leave();
  location.assign("/");
}
