// A problem that only the person can mend: over everything but the SOS key, in large words, with what to do.

import { forget } from "../../account/account";
import { refusalWords, t } from "../../i18n";
import { Icon } from "../../ui/icons";
import type { Obstacle } from "../face";
import type { Phone } from "../phone";
import "./obstacle.css";

const GLYPHS: Record<Obstacle["name"], () => preact.JSX.Element> = {
  dismissed: Icon.exit,
  insecure: Icon.lock,
  sound_locked: Icon.speaker,
  microphone_ask: Icon.mic,
  microphone_refused: Icon.micOff,
  microphone_missing: Icon.micOff,
  microphone_lost: Icon.micOff,
  no_media_path: Icon.offline,
};

export function ObstacleScreen({ phone }: { phone: Phone }) {
  const obstacle = phone.obstacle.value;
  if (!obstacle) return null;
  const { name } = obstacle;
  const Glyph = GLYPHS[name];
  const hint = name === "dismissed" ? refusalWords(obstacle.code) : t(`obstacle_${name}_hint`);
  return (
    <div
      class="obstacle"
      data-obstacle={name}
      role="alertdialog"
      aria-labelledby="obstacle-title"
      aria-describedby="obstacle-hint"
    >
      <Glyph />
      <h1 id="obstacle-title">{t(`obstacle_${name}`)}</h1>
      <p id="obstacle-hint">{hint}</p>
      <div class="actions">
        <Actions phone={phone} name={name} />
      </div>
    </div>
  );
}

function Actions({ phone, name }: { phone: Phone; name: Obstacle["name"] }) {
  switch (name) {
    case "dismissed":
      return <Action words={t("obstacle_dismissed_action")} act={() => comeBack(phone)} />;
    case "insecure":
      return null;
    case "sound_locked":
      return <Action words={t("obstacle_sound_locked_action")} act={() => void phone.askForMicrophone()} />;
    case "no_media_path":
      return <Action words={t("retry")} act={() => phone.restartMedia("asked")} />;
    default:
      return (
        <>
          <Action
            words={t(name === "microphone_ask" ? "obstacle_microphone_ask_action" : "retry")}
            act={() => void phone.askForMicrophone()}
          />
          <button type="button" onClick={() => phone.wave()}>
            {t("listen_only_action")}
          </button>
        </>
      );
  }
}

/** Another page of the same sign-in took this one's place, or the sign-in itself is over. */
function comeBack(phone: Phone): void {
  if (phone.dismissed.value !== "replaced") forget();
  location.assign("/");
}

function Action({ words, act }: { words: string; act: () => void }) {
  return (
    <button type="button" class="primary" onClick={act}>
      {words}
    </button>
  );
}
