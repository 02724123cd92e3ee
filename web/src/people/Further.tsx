// A list of people is drawn as far as one looks: thousands of rows at once would take the page from whoever talks.

import type { Signal } from "@preact/signals";
import { t } from "../i18n";
import { ROWS } from "./presence";

export function Further({ of, rows }: { of: number; rows: Signal<number> }) {
  if (of <= rows.value) return null;
  return (
    <button type="button" class="quiet further" onClick={() => (rows.value += ROWS)}>
      {t("people_further", { count: of - rows.value })}
    </button>
  );
}
