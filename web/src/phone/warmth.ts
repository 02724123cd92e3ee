// A microphone that is warm opens at once: when it may be opened before the first press, and when it is given back.

import { signal } from "@preact/signals";
import type { VoiceInput } from "../media/microphone";

/** A page hidden for so long gives the microphone back. */
export const WARM_WHILE_HIDDEN_MS = 60_000;

export class Warmth {
  /** The browser will ask whether the page may use the microphone. */
  readonly askFirst = signal(false);
  #permission: PermissionStatus | null = null;
  #cooling = 0;

  constructor(private readonly voice: VoiceInput) {}

  /** Opens the microphone without a question where the person has agreed before, or agrees later in the browser's settings. */
  async watch(): Promise<void> {
    try {
      const permission = await navigator.permissions.query({ name: "microphone" as PermissionName });
      const look = () => {
        this.askFirst.value = permission.state === "prompt";
        if (permission.state === "granted") void this.voice.prepare();
      };
      this.#permission = permission;
      permission.onchange = look;
      look();
    } catch {
      // A browser that cannot be asked waits for the first touch.
    }
  }

  hidden(): void {
    clearTimeout(this.#cooling);
    this.#cooling = window.setTimeout(() => this.voice.cool(), WARM_WHILE_HIDDEN_MS);
  }

  shown(): void {
    clearTimeout(this.#cooling);
    if (this.#permission?.state === "granted") void this.voice.prepare();
  }
}
