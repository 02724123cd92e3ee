// What was said while one was away: how much, from whom, and one key that plays it.

import { t } from "../i18n";
import { Icon } from "../ui/icons";
import { type MissedVoice, summary } from "./missed";
import { player } from "./recordings";
import { unheardWords } from "./Unheard";
import "./recordings.css";

const NAMES = 3;

export function Missed({ missed }: { missed: MissedVoice }) {
  const kept = missed.kept.value;
  if (kept.spans.length === 0) return null;
  const left = missed.left.value;
  const beyond = missed.beyond.value;
  const { bursts, durationMs, tier, by } = summary(kept, left, beyond);
  const now = left?.find(({ id }) => id === player.playing.value);
  const names = by.slice(0, NAMES).map(({ name, bursts: count }) => `${name} ${count}`);
  return (
    <div class="missed" data-tier={tier} role="status">
      <button
        type="button"
        class="play"
        aria-pressed={now !== undefined}
        aria-label={t(now ? "missed_stop" : "missed_play")}
        onClick={() => (now ? player.stop() : void missed.play())}
      >
        {now ? <Icon.stop /> : <Icon.again />}
      </button>
      <span class="words">
        <strong>{t("missed", { count: bursts, length: lengthWords(durationMs) })}</strong>
        <span>
          {beyond.bursts > 0 && `${t("missed_beyond", { count: beyond.bursts })} · `}
          {now
            ? `${now.talker.name} · ${now.group_name}`
            : missed.failed.value
              ? unheardWords(missed.failed.value)
              : names.join("、") + (by.length > NAMES ? " …" : "")}
        </span>
      </span>
      <button
        type="button"
        class="rate"
        aria-label={`${t("missed_rate")} ${player.rate.value}×`}
        onClick={() => player.faster()}
      >
        {player.rate.value}×
      </button>
      <button type="button" class="rate" aria-label={t("close")} onClick={() => void missed.dismiss()}>
        ✕
      </button>
    </div>
  );
}

function lengthWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
