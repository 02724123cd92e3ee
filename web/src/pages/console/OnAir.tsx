// Who talks anywhere on a wall that is longer than the page: a channel is not missed because it is scrolled away.

import type { ConsoleDesk } from "../../console/desk";
import { CHANNEL_CAPS } from "../../console/keymap";
import { t } from "../../i18n";
import "./on-air.css";

export function OnAir({ desk }: { desk: ConsoleDesk }) {
  if (desk.numbered.value.length <= CHANNEL_CAPS.length) return null;
  const busy = desk.onAir.value;
  return (
    <section class="on-air" aria-label={t("console_on_air")}>
      <strong>{t("console_on_air")}</strong>
      {busy.map(({ channel, air }) => (
        <button
          key={channel.id}
          type="button"
          data-air={air.state}
          data-tier={air.tier}
          onClick={() => desk.choose(channel.id)}
        >
          {channel.name} · {air.state === "mine" ? t("me") : air.by?.name}
        </button>
      ))}
      {busy.length === 0 && <span class="soft">{t("console_quiet")}</span>}
    </section>
  );
}
