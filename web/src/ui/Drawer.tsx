// A sheet over the page. Focus goes into it, and back to where it was for who walks with the keyboard: for others the space bar is the
// talk key again. Escape closes it. What is below stays in reach: the SOS key is there.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";

type DrawerProps = { title: string; class?: string; close: () => void; children: ComponentChildren };

export function Drawer({ title, class: looks = "", close, children }: DrawerProps) {
  const sheet = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.querySelector<HTMLElement>(":focus-visible");
    sheet.current?.focus();
    return () => before?.focus();
  }, []);
  useEffect(() => {
    const leave = (event: KeyboardEvent) => {
      // In an input method it takes back what is being typed.
      if (event.key === "Escape" && !event.isComposing) close();
    };
    addEventListener("keydown", leave);
    return () => removeEventListener("keydown", leave);
  }, [close]);
  return (
    <div ref={sheet} class={`drawer ${looks}`} role="dialog" aria-label={title} tabIndex={-1}>
      <div class="drawer-head">
        <h2>{title}</h2>
        <button type="button" onClick={close}>
          {t("close")}
        </button>
      </div>
      {children}
    </div>
  );
}
