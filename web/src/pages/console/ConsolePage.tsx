// The dispatcher's console: a wall of channels in the middle, alerts on one side, people on the other.

import { useEffect, useMemo } from "preact/hooks";
import { current } from "../../account/account";
import { t } from "../../i18n";
import { bindSpace, TalkKey } from "../../phone/key";
import type { Phone } from "../../phone/phone";
import { Affairs } from "../../phone/view/Affairs";
import { ObstacleScreen } from "../../phone/view/ObstacleScreen";
import { People } from "../../phone/view/People";
import { Status } from "../../phone/view/Status";
import { TopBar } from "../../ui/TopBar";
import { Alerts } from "./Alerts";
import { Channel } from "./Channel";

export function ConsolePage({ phone }: { phone: Phone }) {
  const key = useMemo(
    () =>
      new TalkKey(
        (at) => phone.press(at),
        () => phone.lift(),
      ),
    [phone],
  );
  useEffect(() => bindSpace(key), [key]);
  useListenToAll(phone);
  const user = phone.picture.value.user ?? current();
  const up = phone.linkState.value === "up" && phone.pathState.value === "connected";
  return (
    <div class="console" data-alerts={phone.alerts.value.length > 0}>
      <TopBar
        name={`${t("console")} · ${user?.name ?? ""}`}
        badge={user?.badge}
        light={{ state: up ? "up" : "waiting", label: t(up ? "connected" : "face_connecting") }}
      />
      <section class="alerts" aria-label={t("console_alerts")}>
        <h2>{t("console_alerts")}</h2>
        <Alerts phone={phone} />
      </section>
      <main class="wall" aria-label={t("console_wall")}>
        <div class="air">
          <Status phone={phone} />
          <Affairs phone={phone} />
        </div>
        <ul class="channels">
          {phone.picture.value.groups.map((group) => (
            <Channel key={group.id} phone={phone} group={group} />
          ))}
        </ul>
        <p class="hint">{t("console_sort_hint")}</p>
      </main>
      <aside class="directory" aria-label={t("console_people")}>
        <h2>{t("console_people")}</h2>
        <People phone={phone} />
      </aside>
      <ObstacleScreen phone={phone} />
    </div>
  );
}

/** A console that is opened for the first time hears every channel; what is switched off stays off. */
function useListenToAll(phone: Phone): void {
  const { groups, user } = phone.picture.value;
  useEffect(() => {
    if (!user || groups.length === 0) return;
    const mark = `poc.console.${user.id}`;
    if (localStorage.getItem(mark)) return;
    localStorage.setItem(mark, "1");
    for (const { id } of groups) if (!phone.listened.peek().includes(id)) phone.toggleListening(id);
  }, [phone, user, groups]);
}
