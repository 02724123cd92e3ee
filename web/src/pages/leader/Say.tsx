// A message: typed, spoken once and kept, or a roll call; how urgent it is, whether it must be confirmed, whether it is practice.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { t } from "../../i18n";
import type { Command, How } from "../../leader/command";
import { MessageRecorder } from "../../leader/recorder";
import { useHold } from "../../ui/hold";

const CHECKS = [
  ["urgent", "leader_urgent"],
  ["acknowledge", "leader_acknowledge"],
  ["exercise", "leader_exercise"],
] as const;

type Props = { command: Command; how: Signal<How>; text: Signal<string> };

export function Say({ command, how, text }: Props) {
  const send = async (kind: "text" | "roll_call") => {
    const words = text.value.trim() || (kind === "roll_call" ? t("leader_roll_call") : "");
    if (words && (await command.send(kind, words, how.value))) text.value = "";
  };
  return (
    <section class="say">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send("text");
        }}
      >
        <textarea
          rows={3}
          maxLength={2000}
          aria-label={t("leader_text")}
          placeholder={t("leader_text")}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
        <div class="checks">
          {CHECKS.map(([name, word]) => (
            <label key={name} class="check">
              <input
                type="checkbox"
                checked={how.value[name]}
                onChange={(event) => {
                  how.value = { ...how.value, [name]: event.currentTarget.checked };
                }}
              />
              {t(word)}
            </label>
          ))}
        </div>
        <div class="sends">
          <button type="submit" class="primary" disabled={!text.value.trim() || command.sending.value}>
            {t("leader_send")}
          </button>
          <button
            type="button"
            class="roll-call"
            disabled={command.sending.value}
            onClick={() => void send("roll_call")}
          >
            {t("leader_roll_call")}
          </button>
        </div>
      </form>
      <Spoken
        use={(wav) => command.sendRecorded(wav, text.value, how.value)}
        word={t("leader_send_recorded")}
        busy={command.sending.value}
        failed={(problem) => command.failed(problem)}
      />
    </section>
  );
}

type Take = { wav: Blob; seconds: number };
type SpokenProps = {
  /** Uses what was recorded; resolves to whether it may be forgotten. */
  use: (wav: Blob) => Promise<boolean>;
  word: string;
  /** It is being used just now. */
  busy?: boolean;
  failed: (problem: unknown) => void;
};

/** Hold to record, listen back, use it or not. */
export function Spoken({ use, word, busy = false, failed }: SpokenProps) {
  const recorder = useMemo(() => new MessageRecorder(), []);
  const since = useSignal<number | null>(null);
  const now = useSignal(0);
  const take = useSignal<Take | null>(null);
  useEffect(() => {
    const timer = setInterval(() => {
      if (since.peek() !== null) now.value = performance.now();
    }, 250);
    return () => clearInterval(timer);
  }, [since, now]);
  const begin = async () => {
    if (since.value !== null) return;
    try {
      since.value = now.value = performance.now();
      await recorder.start();
    } catch (problem) {
      since.value = null;
      failed(problem);
    }
  };
  const end = async () => {
    if (since.value === null) return;
    since.value = null;
    take.value = await recorder.stop();
  };
  const held = useHold({ down: () => void begin(), up: () => void end() });
  const made = take.value;
  return (
    <div class="spoken">
      <button type="button" class="record" aria-pressed={since.value !== null} {...held}>
        {since.value === null
          ? t("leader_record")
          : t("leader_recording", { seconds: Math.max(0, Math.round((now.value - since.value) / 1000)) })}
      </button>
      {made && (
        <div class="take">
          <span>{t("leader_recorded", { seconds: made.seconds.toFixed(1) })}</span>
          <button type="button" onClick={() => void listen(made.wav)}>
            {t("leader_listen_back")}
          </button>
          <button
            type="button"
            class="primary use"
            disabled={busy}
            onClick={() =>
              void use(made.wav).then((done) => {
                if (done && take.peek() === made) take.value = null;
              })
            }
          >
            {word}
          </button>
          <button
            type="button"
            class="quiet"
            onClick={() => {
              take.value = null;
            }}
          >
            {t("leader_discard")}
          </button>
        </div>
      )}
    </div>
  );
}

async function listen(wav: Blob): Promise<void> {
  const url = URL.createObjectURL(wav);
  const element = new Audio(url);
  element.onended = () => URL.revokeObjectURL(url);
  await element.play().catch(() => undefined);
}
