// What every page begins with: its language, its title, its service worker, its root.

import { effect } from "@preact/signals";
import { type ComponentType, render } from "preact";
import "./theme.css";
import { language, t } from "../i18n";

export function mount(Page: ComponentType): void {
  effect(() => {
    document.documentElement.lang = language.value;
    document.title = t("app");
  });
  if (import.meta.env.PROD && "serviceWorker" in navigator) {
    void navigator.serviceWorker.register("/sw.js").catch(() => undefined);
  }
  render(<Page />, document.body);
}
