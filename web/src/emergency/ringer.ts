// The sound of an unclaimed alert. It goes on until somebody claims it: no switch of the page silences it, its loudness hangs on no
// fader, and where the browser keeps sound back the page says so and tries again with every touch.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n";

/** His voice is under way: it comes out of the same machine, and before anything that is made for the ringing. */
const VOICE_FIRST_MS = 250;
const BEAT_MS = 1200;
const LOUDNESS = 0.4;
const TOUCHES = ["pointerdown", "keydown"] as const;

/** An alert rings here and no sound comes out: the browser waits for a touch. */
export const silent = signal(false);

export function useRinging(ringing: boolean): void {
  useEffect(() => {
    if (!ringing) return;
    let stop: (() => void) | undefined;
    const timer = setTimeout(() => {
      stop = ring();
    }, VOICE_FIRST_MS);
    return () => {
      clearTimeout(timer);
      stop?.();
    };
  }, [ringing]);
}

/** Rings until the returned function is called: by sound, by shaking, by the page's title. */
export function ring(): () => void {
  const context = new AudioContext();
  const stop = new AbortController();
  const title = document.title;
  let beats = 0;
  const beat = () => {
    silent.value = context.state !== "running";
    if (silent.value) void context.resume().catch(() => undefined);
    else tones(context);
    navigator.vibrate?.([200, 100, 200]);
    beats += 1;
    document.title = beats % 2 ? `● ${t("alert_title")}` : title;
  };
  for (const name of TOUCHES) {
    addEventListener(name, () => void context.resume().then(beat, () => undefined), {
      signal: stop.signal,
      once: true,
    });
  }
  beat();
  const timer = window.setInterval(beat, BEAT_MS);
  return () => {
    clearInterval(timer);
    stop.abort();
    silent.value = false;
    document.title = title;
    void context.close();
  };
}

function tones(context: AudioContext): void {
  for (const [offset, pitch] of [
    [0, 880],
    [0.22, 660],
  ] as const) {
    const tone = new OscillatorNode(context, { frequency: pitch, type: "triangle" });
    const gain = new GainNode(context, { gain: LOUDNESS });
    tone.connect(gain).connect(context.destination);
    tone.start(context.currentTime + offset);
    tone.stop(context.currentTime + offset + 0.18);
  }
}
