// The panels beside the wall, one at a time. Another panel is one line in each of the two tables here.

import type { ComponentType } from "preact";
import { type ConsoleDesk, PANELS, type Panel } from "../../console/desk";
import { KEYS } from "../../console/keymap";
import { t } from "../../i18n";
import { IncidentPanel } from "../../incidents/desk/IncidentPanel";
import { Unread } from "../../texts/ThreadList";
import { Icon } from "../../ui/icons";
import { MapPanel } from "./MapPanel";
import { MessagesPanel } from "./MessagesPanel";
import { PeoplePanel } from "./PeoplePanel";

type PanelView = ComponentType<{ desk: ConsoleDesk }>;

const VIEWS: Record<Panel, PanelView> = {
  people: PeoplePanel,
  map: MapPanel,
  messages: MessagesPanel,
  incidents: IncidentPanel,
};

export function Dock({ desk }: { desk: ConsoleDesk }) {
  const shown = desk.panel.value;
  const View = VIEWS[shown];
  return (
    <aside class="dock" aria-label={t("console_dock")}>
      <div class="tabs">
        <div role="tablist">
          {PANELS.map((panel) => (
            <button
              key={panel}
              type="button"
              role="tab"
              aria-selected={panel === shown}
              onClick={() => desk.open(panel)}
            >
              {t(`console_${panel}`)}
              {panel === "messages" && <Unread count={desk.texts.unread.value} />}
              <kbd>{KEYS.find(({ act }) => act === panel)?.cap}</kbd>
            </button>
          ))}
        </div>
        <button
          type="button"
          class="widen"
          aria-pressed={desk.wide.value}
          aria-label={t("key_widen")}
          title={t("key_widen")}
          onClick={() => (desk.wide.value = !desk.wide.value)}
        >
          <Icon.widen />
        </button>
      </div>
      <div class="panel" role="tabpanel">
        <View desk={desk} />
      </div>
    </aside>
  );
}
