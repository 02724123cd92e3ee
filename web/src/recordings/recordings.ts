// What was said: lists from the server, audio fetched with the sign-in and played one after the other.

import { signal } from "@preact/signals";
import { freshToken } from "../account/account";

export type Recording = {
  id: string;
  group: string;
  talker: { id: string | null; name: string };
  started_ms: number;
  duration_ms: number;
  tier: 0 | 1 | 2;
  audio: boolean;
  /** base64 of one byte for each of equally long slices. */
  peaks: string;
};

/** The newest recordings of a group, newest first. Rejects when the server cannot be asked. */
export async function recent(group: string, limit: number, fromMs?: number): Promise<Recording[]> {
  const query = new URLSearchParams({ group, limit: String(limit) });
  if (fromMs) query.set("from_ms", String(Math.round(fromMs)));
  const response = await fetch(`/api/v1/recordings?${query}`, { headers: await signed() });
  if (!response.ok) throw new Error(String(response.status));
  return ((await response.json()) as { recordings: Recording[] }).recordings.filter(({ audio }) => audio);
}

/** Plays recordings one after the other. One player a page: a new order ends the one before. */
export class Player {
  /** Id of what is heard now. */
  readonly playing = signal<string | null>(null);
  /** The key it was asked for by, so that this key shows it and ends it. */
  readonly by = signal<string | null>(null);
  #element = new Audio();
  #turn = 0;

  async play(recordings: readonly Recording[], by: string | null = null): Promise<void> {
    const turn = ++this.#turn;
    this.by.value = by;
    for (const { id } of recordings) {
      if (turn !== this.#turn) return;
      this.playing.value = id;
      await this.#one(id).catch(() => undefined);
    }
    if (turn === this.#turn) this.stop();
  }

  stop(): void {
    this.#turn += 1;
    this.#element.pause();
    this.playing.value = null;
    this.by.value = null;
  }

  async #one(id: string): Promise<void> {
    const form = this.#element.canPlayType("audio/ogg; codecs=opus") ? "ogg" : "mp4";
    const response = await fetch(`/api/v1/recordings/${encodeURIComponent(id)}/audio?as=${form}`, {
      headers: await signed(),
    });
    if (!response.ok) return;
    const url = URL.createObjectURL(await response.blob());
    try {
      this.#element.src = url;
      await this.#element.play();
      await new Promise<void>((done) => {
        this.#element.onended = () => done();
        this.#element.onpause = () => done();
        this.#element.onerror = () => done();
      });
    } finally {
      URL.revokeObjectURL(url);
    }
  }
}

export const player = new Player();

/** How many are asked for when all of the last seconds are wanted. */
const LISTED = 30;

/** Plays the last burst of a group, or all of the last `seconds`; while that plays, ends it. Rejects when the server cannot be asked. */
export async function sayAgain(group: string, seconds?: number): Promise<void> {
  const by = `${group} ${seconds ?? ""}`;
  if (player.by.value === by) return player.stop();
  player.by.value = by;
  try {
    const from = seconds ? Date.now() - seconds * 1000 : undefined;
    const recordings = await recent(group, seconds ? LISTED : 1, from);
    await player.play(recordings.reverse(), by);
  } finally {
    if (player.by.value === by) player.by.value = null;
  }
}

export function saysAgain(group: string, seconds?: number): boolean {
  return player.by.value === `${group} ${seconds ?? ""}`;
}

async function signed(): Promise<HeadersInit> {
  return { authorization: `Bearer ${await freshToken()}` };
}
