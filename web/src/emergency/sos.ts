// One-key SOS: hold, count down, send until confirmed, then ten seconds of open microphone. The page says NOT SENT until it is.

import { signal } from "@preact/signals";
import { freshToken } from "../account/account";
import { mark } from "../diagnostics";
import type { Phone } from "../phone/phone";
import type { Whereabouts } from "../wire/protocol";

/** How long the key must be held: long enough that a pocket does not press it. */
export const HOLD_MS = 1500;
/** Sent again so often until it is confirmed. */
export const AGAIN_MS = 500;
const PLACE_AGE_MS = 60_000;

export type SosState =
  | { name: "quiet" }
  | { name: "arming"; since: number }
  | { name: "not_sent"; alert: string; tries: number }
  | { name: "confirmed"; alert: string; told: number };

export class SosKey {
  readonly state = signal<SosState>({ name: "quiet" });
  #timer = 0;
  #place: Whereabouts | null = null;

  constructor(private readonly phone: Phone) {}

  down(): void {
    if (this.state.value.name !== "quiet") return;
    this.phone.touched();
    this.#locate();
    this.state.value = { name: "arming", since: performance.now() };
    navigator.vibrate?.([60, 200, 60, 200, 60]);
    this.#timer = window.setTimeout(() => this.#raise(), HOLD_MS);
  }

  /** Let go before the time: nothing happens. */
  up(): void {
    if (this.state.value.name !== "arming") return;
    clearTimeout(this.#timer);
    this.state.value = { name: "quiet" };
  }

  async cancel(): Promise<void> {
    const now = this.state.value;
    clearTimeout(this.#timer);
    if (now.name === "confirmed") await this.phone.ask({ type: "sos_cancel", alert: now.alert });
    this.state.value = { name: "quiet" };
  }

  /** Somebody closed the alert: the key is ready again. */
  over(alert: string): void {
    const now = this.state.value;
    if (now.name === "confirmed" && now.alert === alert) this.state.value = { name: "quiet" };
  }

  #raise(): void {
    const alert = `al-${crypto.randomUUID()}`;
    const pressed = Date.now();
    mark("sos_pressed", { alert });
    this.state.value = { name: "not_sent", alert, tries: 0 };
    navigator.vibrate?.(400);
    this.#send(alert, pressed);
  }

  #send(alert: string, pressed: number): void {
    const now = this.state.value;
    if (now.name !== "not_sent" || now.alert !== alert) return;
    this.state.value = { ...now, tries: now.tries + 1 };
    const body = {
      alert,
      pressed_ms: pressed,
      ...(this.phone.picture.value.selected ? { group: this.phone.picture.value.selected } : {}),
      ...(this.#place ? { place: this.#place } : {}),
    };
    this.phone
      .ask({ type: "sos", ...body })
      .then((answer) => {
        if (answer.type === "sos_confirmed") {
          this.#confirmed(alert, answer.told, answer.group ?? null, answer.microphone_ms);
        }
      })
      .catch(() => undefined);
    // The same by HTTPS: whichever way is open carries it, and the server takes it once.
    void this.#post(body).catch(() => undefined);
    this.#timer = window.setTimeout(() => this.#send(alert, pressed), AGAIN_MS);
  }

  async #post(body: { alert: string; pressed_ms: number }): Promise<void> {
    const token = await freshToken();
    const response = await fetch("/api/v1/alerts", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    if (!response.ok) return;
    const answer = (await response.json()) as { told?: number; group?: string; microphone_ms?: number };
    this.#confirmed(body.alert, answer.told ?? 0, answer.group ?? null, answer.microphone_ms ?? 0);
  }

  #confirmed(alert: string, told: number, group: string | null, microphoneMs: number): void {
    const now = this.state.value;
    if (now.name !== "not_sent" || now.alert !== alert) return;
    clearTimeout(this.#timer);
    this.state.value = { name: "confirmed", alert, told };
    mark("sos_confirmed", { alert, told });
    navigator.vibrate?.([100, 100, 100]);
    if (!group || microphoneMs <= 0) return;
    this.phone.pressIn(group, performance.now());
    window.setTimeout(() => this.phone.lift(), microphoneMs);
  }

  #locate(): void {
    navigator.geolocation?.getCurrentPosition(
      ({ coords, timestamp }) => {
        this.#place = {
          longitude: coords.longitude,
          latitude: coords.latitude,
          accuracy_m: coords.accuracy,
          at_ms: timestamp,
        };
      },
      () => undefined,
      { maximumAge: PLACE_AGE_MS, timeout: HOLD_MS, enableHighAccuracy: true },
    );
  }
}
