// What I do: my own floor, where the space bar talks, the calls I am in. Always at the same place, under the left hand.

import type { ConsoleDesk } from "../../console/desk";
import type { Channel } from "../../console/wall";
import { refusalWords, t } from "../../i18n";
import { LeftNotice, SwitchedNotice } from "../../incidents/IncidentList";
import { Affairs } from "../../phone/view/Affairs";
import { LeftGroup } from "../../phone/view/LeftGroup";
import { Status } from "../../phone/view/Status";
import { Ends } from "../../ui/Ends";
import { Icon } from "../../ui/icons";
import { Mixer } from "./ChannelControls";

export function AirPanel({ desk }: { desk: ConsoleDesk }) {
  const { phone } = desk;
  const targets = desk.spaceTalksIn.value;
  const able = targets.some(({ mayTalk }) => mayTalk);
  const refused = desk.refused.value;
  return (
    <section class="air" aria-label={t("console_my_air")} data-face={phone.face.value.name}>
      <SwitchedNotice phone={phone} />
      <LeftNotice phone={phone} />
      <LeftGroup phone={phone} keys />
      <Affairs phone={phone} answers={false} />
      {refused && (
        <p class="problem" role="alert">
          {refusalWords(refused)}
        </p>
      )}
      {desk.dense.value && desk.current.value && <Chosen desk={desk} channel={desk.current.value} />}
      <Status phone={phone} />
      <button
        type="button"
        class="main-key"
        data-talk-key
        disabled={!able}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.preventDefault();
          event.currentTarget.setPointerCapture(event.pointerId);
          desk.talkHere(event.pointerId, event.timeStamp);
        }}
        onPointerUp={(event) => desk.release(event.pointerId)}
        onPointerCancel={(event) => desk.release(event.pointerId)}
        onLostPointerCapture={(event) => desk.release(event.pointerId)}
        onContextMenu={(event) => event.preventDefault()}
      >
        <Icon.mic />
        <span class="target">{words(targets)}</span>
        <kbd>{t("key_cap_space")}</kbd>
      </button>
    </section>
  );
}

/** How the chosen channel sounds: its card is too small to say it. */
function Chosen({ desk, channel }: { desk: ConsoleDesk; channel: Channel }) {
  return (
    <section class="chosen" aria-label={t("console_chosen")}>
      <p>
        <Ends of={channel.name} />
      </p>
      <div class="controls">
        <Mixer desk={desk} channel={channel} />
      </div>
    </section>
  );
}

function words(targets: readonly Channel[]): string {
  if (targets.length > 1) return t("console_together", { count: targets.length });
  return targets[0]?.name ?? t("group");
}
