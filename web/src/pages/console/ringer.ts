// The sound of an unclaimed alert. It goes on until somebody claims it: no switch of the page silences it by accident.

const BEAT_MS = 1200;

/** Rings until the returned function is called. */
export function ring(): () => void {
  const context = new AudioContext();
  const beat = () => {
    for (const [offset, pitch] of [
      [0, 880],
      [0.22, 660],
    ] as const) {
      const tone = new OscillatorNode(context, { frequency: pitch, type: "triangle" });
      const gain = new GainNode(context, { gain: 0.25 });
      tone.connect(gain).connect(context.destination);
      tone.start(context.currentTime + offset);
      tone.stop(context.currentTime + offset + 0.18);
    }
  };
  beat();
  const timer = window.setInterval(beat, BEAT_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
