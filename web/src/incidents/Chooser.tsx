// One incident in a list: its lamp, what it is called, and where it is. A touch opens its group.

import type { ComponentChildren } from "preact";
import { t } from "../i18n";
import type { IncidentSummary } from "../wire/protocol";
import { Lamp } from "./Lamp";

type Props = {
  one: IncidentSummary;
  selected: boolean;
  choose: (one: IncidentSummary) => void;
  /** The second line; `unsaid`: it says what went wrong. */
  children: ComponentChildren;
  unsaid?: boolean;
};

export function Chooser({ one, selected, choose, children, unsaid = false }: Props) {
  return (
    <button
      type="button"
      class="choose"
      aria-current={selected}
      disabled={!one.group}
      onClick={() => one.group && choose(one)}
    >
      <Lamp lamp={one.lamp} />
      <span class="name">
        {one.urgent && <em>{t("incident_urgent")} </em>}
        {one.title}
      </span>
      <span class={unsaid ? "detail unsaid" : "detail"} role={unsaid ? "alert" : undefined}>
        {children}
      </span>
    </button>
  );
}
