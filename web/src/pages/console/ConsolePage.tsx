// The dispatcher's console: alerts and my own air on the left, the wall of channels in the middle, a dock of panels on the right.

import { useEffect, useMemo } from "preact/hooks";
import { current } from "../../account/account";
import { ConsoleDesk } from "../../console/desk";
import { waiting } from "../../console/dispatch";
import { bindKeys } from "../../console/keyboard";
import type { Channel } from "../../console/wall";
import { Alerts } from "../../emergency/Alerts";
import { known, t } from "../../i18n";
import { clockWords } from "../../i18n/moments";
import type { Phone } from "../../phone/phone";
import { ObstacleScreen } from "../../phone/view/ObstacleScreen";
import { Icon } from "../../ui/icons";
import { TopBar } from "../../ui/TopBar";
import { WakeKey } from "../../wake/WakeKey";
import { AirPanel } from "./Air";
import { CallsDialog } from "./CallsDialog";
import { ChannelCard } from "./ChannelCard";
import { Dock } from "./Dock";
import { FindDialog } from "./FindDialog";
import { HandoverDialog, Taking } from "./HandoverDialog";
import { KeyHelp, KeyStrip } from "./KeyHelp";
import { MonitorDialog } from "./MonitorDialog";
import { now } from "./now";
import { OnAir } from "./OnAir";
import { TemporaryDialog } from "./TemporaryDialog";
import { Together } from "./Together";

export function ConsolePage({ phone }: { phone: Phone }) {
  const desk = useMemo(() => new ConsoleDesk(phone), [phone]);
  useEffect(() => bindKeys(desk), [desk]);
  const user = phone.picture.value.user ?? current();
  const { toMe } = waiting(desk.dispatch.value, user?.id);
  // What comes and goes has a place of its own: it must not move a channel under a hand.
  const passing = desk.channels.value.filter(({ kind }) => kind === "brought");
  return (
    <div
      class="console"
      data-alerts={phone.alerts.value.length > 0}
      data-wide={desk.wide.value}
      data-cut={phone.linkState.value === "reconnecting"}
    >
      <TopBar name={`${t("console")} · ${user?.name ?? ""}`} badge={user?.badge} light={light(phone)}>
        <Cut phone={phone} />
        {phone.picture.value.isolated && <strong class="isolated">{t("node_isolated")}</strong>}
        <Disk phone={phone} />
        <Tools desk={desk} />
        <Clock />
        <a class="button" href="/recordings" target="_blank" rel="noopener opener">
          {t("recordings")}
        </a>
      </TopBar>
      <div class="left">
        <section class="alerts" aria-label={t("console_alerts")}>
          <h2>{t("console_alerts")}</h2>
          <Alerts phone={phone} />
          <WakeKey />
        </section>
        {passing.length > 0 && (
          <section class="passing" aria-label={t("console_passing")}>
            <Cards desk={desk} channels={passing} />
          </section>
        )}
        <AirPanel desk={desk} />
      </div>
      <main class="wall" aria-label={t("console_wall")}>
        <Cards desk={desk} channels={desk.numbered.value} dense={desk.dense.value} />
        <OnAir desk={desk} />
        <div class="foot">
          {toMe && <Taking desk={desk} handover={toMe} />}
          <Together desk={desk} />
        </div>
      </main>
      <Dock desk={desk} />
      <KeyStrip desk={desk} />
      <KeyHelp desk={desk} />
      <FindDialog desk={desk} />
      <MonitorDialog desk={desk} />
      <CallsDialog desk={desk} />
      <HandoverDialog desk={desk} />
      <TemporaryDialog desk={desk} />
      <ObstacleScreen phone={phone} />
    </div>
  );
}

/** Without a link a quiet wall is no sign that it is quiet. */
function Cut({ phone }: { phone: Phone }) {
  if (phone.linkState.value !== "reconnecting") return null;
  return (
    <strong class="cut" role="alert">
      {t("console_cut")}
    </strong>
  );
}

/** Voice goes on whatever the disk does; who answers for recordings must know while something can be done. */
function Disk({ phone }: { phone: Phone }) {
  const { disk } = phone.picture.value;
  if (disk === "ok") return null;
  return (
    <strong class="disk" data-disk={disk} role="status">
      {known(`disk_${disk}`, "disk_unknown")}
    </strong>
  );
}

type CardsProps = { desk: ConsoleDesk; channels: readonly Channel[]; dense?: boolean };

function Cards({ desk, channels, dense = false }: CardsProps) {
  return (
    <ul class="channels" data-dense={dense}>
      {channels.map((channel) => (
        <ChannelCard
          key={channel.id}
          desk={desk}
          channel={channel}
          dense={dense}
          number={desk.numbered.value.indexOf(channel)}
        />
      ))}
    </ul>
  );
}

function light(phone: Phone): { state: "up" | "waiting" | "down"; label: string } {
  if (!phone.online.value) return { state: "down", label: t("face_no_network") };
  const up = phone.linkState.value === "up" && phone.pathState.value === "connected";
  if (up && phone.picture.value.isolated) return { state: "waiting", label: t("node_isolated") };
  return { state: up ? "up" : "waiting", label: t(up ? "connected" : "face_connecting") };
}

/** What is done seldom, but must be seen when it is on. */
function Tools({ desk }: { desk: ConsoleDesk }) {
  const { monitoring } = desk.dispatch.value;
  const leftOut = monitoring?.left_out ?? 0;
  const { rights } = desk.phone.picture.value;
  return (
    <>
      <button
        type="button"
        class="tool layout"
        aria-pressed={desk.dense.value}
        aria-label={t("key_dense")}
        title={t("key_dense")}
        onClick={() => desk.toggleDense()}
      >
        <Icon.grid />
      </button>
      {rights.includes("monitor") && (
        <button
          type="button"
          class="tool"
          aria-pressed={monitoring !== null}
          onClick={() => (desk.dialog.value = "monitor")}
        >
          <Icon.eye />{" "}
          {monitoring
            ? t(monitoring.hidden ? "monitor_on_hidden" : "monitor_on", { count: monitoring.groups.length })
            : t("monitor_title")}
          {leftOut > 0 && <em class="left-out">{t("monitor_left_out", { count: leftOut })}</em>}
        </button>
      )}
      {rights.includes("force_end") && (
        <button type="button" class="tool" onClick={() => (desk.dialog.value = "calls")}>
          <Icon.call /> {t("console_calls")}
        </button>
      )}
      {rights.includes("dispatch") && (
        <button type="button" class="tool" onClick={() => (desk.dialog.value = "handover")}>
          <Icon.swap /> {t("handover_title")}
        </button>
      )}
    </>
  );
}

function Clock() {
  return <time class="clock">{clockWords(now.value, true)}</time>;
}
