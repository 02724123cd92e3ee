// What every page begins with: its language, its title, its service worker, its root.

import { effect } from "@preact/signals";
import { type ComponentType, render } from "preact";
import "./theme.css";
import { language, t } from "../i18n";
import type { Key } from "../i18n/zh";

/** `title`: what the page is for, where a person may have several open. */
export function mount(Page: ComponentType, title?: Key): void {
  effect(() => {
    document.documentElement.lang = language.value;
    document.title = title ? `${t(title)} · ${t("app")}` : t("app");
  });
  if (import.meta.env.PROD && "serviceWorker" in navigator) {
    void navigator.serviceWorker.register("/sw.js").catch(() => undefined);
  }
  render(<Page />, document.body);
}
