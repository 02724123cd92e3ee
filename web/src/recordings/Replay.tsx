// Say again: the group's last words on one key. And the list of what was said, each with its drawn voice.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";
import { briefWords, secondsWords } from "../i18n/moments";
import { Icon } from "../ui/icons";
import { type Floor, lastEnded } from "../wire/picture";
import { catchingUp, fromStart, fromStartBy } from "./fromStart";
import { againBy, player, type Recording, recent, sayAgain, saysAgain, soundOf } from "./recordings";
import { Unheard, unheardWords } from "./Unheard";
import { heights } from "./waveform";
import "./recordings.css";

const BARS = 40;
const LISTED = 30;
/** From the end of a burst until it can be played. */
const SETTLED_MS = 2_000;

type SayAgainProps = { group: string; seconds?: number; floor?: Floor | undefined; label: string };

/** Plays the last burst of a group, or all of the last `seconds`. `floor`: what is known of who speaks there. */
export function SayAgain({ group, seconds, floor, label }: SayAgainProps) {
  const playing = saysAgain(group, seconds);
  return (
    <span class="again">
      <button
        type="button"
        class="say-again"
        aria-pressed={playing}
        aria-label={label}
        title={label}
        onClick={() => void sayAgain(group, { seconds, ended: lastEnded(floor) })}
      >
        {playing ? <Icon.stop /> : <Icon.again />}
      </button>
      <Unheard of={againBy(group, seconds)} />
    </span>
  );
}

/** For one who came late into a burst: hears it from its start, at one and a half times its speed, and then live. */
export function FromStart({ group, burst, onAir }: { group: string; burst: number; onAir: () => boolean }) {
  const playing = catchingUp.value === group;
  return (
    <button
      type="button"
      class="from-start"
      aria-pressed={playing}
      onClick={() => void fromStart(group, burst, onAir)}
    >
      {playing ? <Icon.stop /> : <Icon.again />}
      {t(playing ? "from_start_playing" : "from_start")}
      <Unheard of={fromStartBy(group)} />
    </button>
  );
}

/** What was said in a group. `after`: the burst that ended last; its recording is there a moment later. */
export function RecordingList({ group, after }: { group: string; after: number | null }) {
  const recordings = useSignal<readonly Recording[] | null>(null);
  const failed = useSignal("");
  useEffect(() => {
    const look = () =>
      void recent(group, LISTED).then(
        (found) => {
          recordings.value = found;
          failed.value = "";
        },
        (why: unknown) => {
          failed.value = unheardWords(why);
        },
      );
    const timer = window.setTimeout(look, recordings.peek() ? SETTLED_MS : 0);
    return () => clearTimeout(timer);
  }, [group, after, recordings, failed]);
  if (!recordings.value) return <p class="hint">{failed.value || t("loading")}</p>;
  if (recordings.value.length === 0) return <p class="hint">{t("no_recordings")}</p>;
  return (
    <ul class="recordings">
      {recordings.value.map((one) => (
        <li key={one.id} data-tier={one.tier} data-playing={player.playing.value === one.id}>
          <button
            type="button"
            onClick={() =>
              void (player.playing.value === one.id ? player.stop() : player.play([soundOf(one)]))
            }
          >
            <span class="said">
              <strong>{one.talker.name}</strong>
              <span>
                {briefWords(one.started_ms, { seconds: true })} · {secondsWords(one.duration_ms)}
              </span>
            </span>
            <Wave peaks={one.peaks} />
          </button>
          <Unheard of={one.id} />
        </li>
      ))}
    </ul>
  );
}

function Wave({ peaks }: { peaks: string }) {
  return (
    <svg class="wave" viewBox={`0 0 ${BARS * 3} 24`} preserveAspectRatio="none" aria-hidden="true">
      {heights(peaks, BARS).map((height, i) => (
        <rect key={i} x={i * 3} y={12 - height * 11} width="2" height={Math.max(1, height * 22)} />
      ))}
    </svg>
  );
}
