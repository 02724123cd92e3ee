import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { VoiceInput } from "./microphone";

type Track = { onmute?: () => void; onunmute?: () => void; onended?: (() => void) | null; stop: () => void };

const node = () => ({ connect: () => undefined, disconnect: () => undefined, gain: { value: 0 } });
const context = {
  currentTime: 0,
  createGain: node,
  createAnalyser: node,
  createMediaStreamSource: node,
  createMediaStreamDestination: () => ({ ...node(), stream: { getAudioTracks: () => [{}] } }),
} as unknown as AudioContext;
let tracks: Track[] = [];

beforeEach(() => {
  tracks = [];
  vi.stubGlobal(
    "DelayNode",
    class {
      connect(): void {}
    },
  );
  const getUserMedia = async () => {
    const track: Track = { stop: () => undefined };
    tracks.push(track);
    return { getAudioTracks: () => [track], getTracks: () => [track] };
  };
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
});
afterEach(() => vi.unstubAllGlobals());

async function warm() {
  const states: string[] = [];
  const voice = new VoiceInput(
    context,
    () => null,
    (state) => states.push(state),
    true,
  );
  await voice.prepare();
  return { voice, states };
}

test("a call that comes in takes the microphone, and its end gives it back", async () => {
  const { states } = await warm();
  tracks[0]?.onmute?.();
  tracks[0]?.onunmute?.();
  expect(states).toEqual(["starting", "warm", "lost", "warm"]);
});

test("a headset that is pulled loses nothing: what is left is opened at once", async () => {
  const { voice, states } = await warm();
  tracks[0]?.onended?.();
  await voice.prepare();
  expect(tracks).toHaveLength(2);
  expect(states).toEqual(["starting", "warm", "starting", "warm"]);
});
