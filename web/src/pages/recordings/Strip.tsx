// One conversation: its bursts on one strip, to scale, each with its drawn voice. A tap plays from there to the end.

import { useSignal } from "@preact/signals";
import { listed, t } from "../../i18n";
import { momentWords, secondsWords } from "../../i18n/moments";
import { player, soundOf } from "../../recordings/recordings";
import type { Conversation, Placed } from "../../recordings/timeline";
import { unheardWords } from "../../recordings/Unheard";
import { heights } from "../../recordings/waveform";
import { Icon } from "../../ui/icons";

const WIDE = 1000;
const TALL = 48;
/** A bar of the drawing with its gap, in units of the strip. */
const BAR = 5;

export function Strip({ one }: { one: Conversation }) {
  const heard = one.bursts.find(({ one: { id } }) => id === player.playing.value);
  const failed = useSignal("");
  const playFrom = async (first: number) => {
    const rest = one.bursts.slice(first).filter(({ one: { audio } }) => audio);
    failed.value = "";
    const done = await player.play(rest.map(({ one: recording }) => soundOf(recording)));
    const problem = player.failed.peek();
    if (done && problem) failed.value = unheardWords(problem.why);
  };
  // A group that was made for one call has no name any more.
  const title = one.name === one.group ? listed(one.talkers) : one.name;
  return (
    <section class="strip" data-tier={one.tier}>
      <header>
        <button
          type="button"
          aria-pressed={heard !== undefined}
          aria-label={t(heard ? "missed_stop" : "archive_play")}
          onClick={() => (heard ? player.stop() : void playFrom(0))}
        >
          {heard ? <Icon.stop /> : <Icon.again />}
        </button>
        <span class="words">
          <strong>{title}</strong>
          <span>
            {momentWords(one.from)} · {secondsWords(one.until - one.from)} · {listed(one.talkers)}
          </span>
          {heard && <span class="number">{t("archive_number", { id: heard.one.id })}</span>}
          {failed.value && <span role="status">{failed.value}</span>}
        </span>
        <button
          type="button"
          class="rate"
          aria-label={`${t("missed_rate")} ${player.rate.value}×`}
          onClick={() => player.faster()}
        >
          {player.rate.value}×
        </button>
      </header>
      <svg viewBox={`0 0 ${WIDE} ${TALL}`} preserveAspectRatio="none" role="img" aria-label={title}>
        <line x1="0" y1={TALL / 2} x2={WIDE} y2={TALL / 2} />
        {one.bursts.map((burst, i) => (
          <Burst key={burst.one.id} burst={burst} heard={burst === heard} play={() => void playFrom(i)} />
        ))}
      </svg>
      <ol>
        {one.bursts.map((burst, i) => (
          <li key={burst.one.id} data-tier={burst.one.tier} data-playing={burst === heard}>
            <button type="button" disabled={!burst.one.audio} onClick={() => void playFrom(i)}>
              <span>{burst.one.talker.name}</span>
              <span>{secondsWords(burst.one.duration_ms)}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Burst({ burst, heard, play }: { burst: Placed; heard: boolean; play: () => void }) {
  const width = Math.max(BAR, burst.width * WIDE);
  const bars = heights(burst.one.peaks, Math.max(1, Math.floor(width / BAR)));
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the list below has a button for each
    <g
      data-tier={burst.one.tier}
      data-playing={heard}
      transform={`translate(${burst.at * WIDE})`}
      onClick={play}
    >
      <title>{burst.one.talker.name}</title>
      <rect class="ground" width={width} height={TALL} />
      {bars.map((height, i) => (
        <rect
          key={i}
          x={i * BAR}
          y={(TALL / 2) * (1 - height)}
          width={BAR - 2}
          height={Math.max(1, height * TALL)}
        />
      ))}
    </g>
  );
}
