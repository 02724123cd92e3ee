// The strip on top of every page: who is here, whether the server is there, language, the way out.

import type { ComponentChildren } from "preact";
import { leave } from "../account/account";
import { t } from "../i18n";
import { Icon } from "./icons";
import { LanguageSwitch } from "./LanguageSwitch";

export type TopBarProps = {
  name: string;
  badge?: string | undefined;
  light?: { state: "up" | "waiting" | "down"; label: string };
  /** What a page adds, before the language. */
  children?: ComponentChildren;
};

export function TopBar({ name, badge, light, children }: TopBarProps) {
  return (
    <header class="bar">
      <div class="who">
        {light && <span class="light" data-state={light.state} role="img" aria-label={light.label} />}
        <span>
          {name}
          {badge && <span class="badge">{badge}</span>}
        </span>
      </div>
      {children}
      <LanguageSwitch />
      <button type="button" class="quiet" aria-label={t("sign_out")} title={t("sign_out")} onClick={signOut}>
        <Icon.exit />
      </button>
    </header>
  );
}

async function signOut(): Promise<void> {
  await leave();
  location.assign("/");
}
