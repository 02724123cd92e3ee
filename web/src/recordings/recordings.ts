// What was said: lists from the server, audio fetched with the sign-in.

import { Problem } from "../account/api";
import { authorised, file } from "../account/authorised";
import { Player, type Sound } from "./player";

export type Recording = {
  id: string;
  group: string;
  group_name: string;
  burst: number;
  talker: { id: string | null; name: string };
  started_ms: number;
  duration_ms: number;
  tier: 0 | 1 | 2;
  audio: boolean;
  /** base64 of one byte for each of equally long slices. */
  peaks: string;
};

/** The newest recordings of a group that have sound, newest first. Rejects with `Problem`. */
export async function recent(group: string, limit: number, fromMs?: number): Promise<Recording[]> {
  const query = new URLSearchParams({ group, limit: String(limit), audio: "true" });
  if (fromMs) query.set("from_ms", String(Math.round(fromMs)));
  return (await authorised<{ recordings: Recording[] }>("GET", `/recordings?${query}`)).recordings;
}

/** The last words of a group; the server waits for a burst, like `ended`, that has just ended. Rejects with `Problem`. */
export function lastSaid(group: string, ended: number | null): Promise<Recording> {
  const query = ended === null ? "" : `?ended=${ended}`;
  return authorised<Recording>("GET", `/groups/${encodeURIComponent(group)}/last-said${query}`);
}

/** As much as the server lists at once; `more` come after, `more_ms` long in all, and are had with `next`. */
export type MissedPage = { recordings: Recording[]; more: number; more_ms: number; next: string | null };

/** What was said while one was away, as it is to be played: emergencies first. Rejects with `Problem`. */
export function missedIn(fromMs: number, untilMs: number, after: string | null): Promise<MissedPage> {
  const query = new URLSearchParams({ from_ms: String(fromMs), until_ms: String(untilMs) });
  if (after) query.set("after", after);
  return authorised<MissedPage>("GET", `/missed?${query}`);
}

/** Opus in Ogg where it can be played, else the same packets in MP4: iOS before 18.4. */
export function playable(audio: Pick<HTMLAudioElement, "canPlayType"> = new Audio()): "ogg" | "mp4" | "mp3" {
  if (audio.canPlayType("audio/ogg; codecs=opus")) return "ogg";
  return audio.canPlayType('audio/mp4; codecs="opus"') ? "mp4" : "mp3";
}

/** A recording for the player. */
export function soundOf({ id }: Pick<Recording, "id">): Sound {
  return { id, load: () => fetched(`/recordings/${encodeURIComponent(id)}/audio`) };
}

/** What was said so far in the burst that is on air. Rejects when none is. */
export function soFar(group: string): Promise<Blob> {
  return fetched(`/groups/${encodeURIComponent(group)}/on-air/audio`);
}

/** Nothing was said that could be said again. */
export class NothingSaid extends Error {}

/** Server, or the disk of the recordings, is away: what was asked for is not lost, and nothing else can be had now. */
export function away(why: unknown): boolean {
  return why instanceof Problem && (why.code === "unreachable" || why.status === 503);
}

export const player = new Player(null, away);

/** How many are asked for when all of the last seconds are wanted. */
const LISTED = 30;

/** Which words: `seconds` back from now, else the last burst; `ended` is the one that ended last, where that is known. */
export type Again = { seconds?: number | undefined; ended?: number | null | undefined };

/** Plays the last burst of a group, or all of the last `seconds`; while that plays, ends it. What fails stands in `player.failed`. */
export async function sayAgain(group: string, { seconds, ended = null }: Again = {}): Promise<void> {
  const by = againBy(group, seconds);
  if (player.by.value === by) return player.stop();
  player.by.value = by;
  player.failed.value = null;
  try {
    const from = seconds ? Date.now() - seconds * 1000 : undefined;
    const last = await lastSaid(group, ended).catch((why: unknown) => {
      throw why instanceof Problem && why.code === "not_found" ? new NothingSaid() : why;
    });
    const recordings = from ? await recent(group, LISTED, from) : [];
    if (player.by.peek() !== by) return; // stopped, or another key, while it was looked for
    // Nothing was said in that time: the last words, however old, rather than silence.
    const found = recordings.length ? recordings.reverse() : [last];
    await player.play(found.map(soundOf), { by });
  } catch (why) {
    if (player.by.peek() === by) player.failed.value = { of: by, why };
  } finally {
    if (player.by.value === by) player.by.value = null;
  }
}

export function saysAgain(group: string, seconds?: number): boolean {
  return player.by.value === againBy(group, seconds);
}

/** The name of the key that says it again. */
export function againBy(group: string, seconds?: number): string {
  return `${group} ${seconds ?? ""}`;
}

/** Rejects with `Problem`. */
function fetched(path: string): Promise<Blob> {
  return file(`${path}?as=${playable()}`);
}
