// One-key SOS: hold, count down, send until confirmed; the microphone opens for ten seconds as soon as the server has brought this
// phone into the group of its alert, before anything is kept. The page says NOT SENT until it is confirmed, also when it was loaded anew.
// How the key works is the operator's to say (`sos_rules`); a covert one leaves no sign on this phone.

import { signal } from "@preact/signals";
import { current, freshToken } from "../account/account";
import { mark } from "../diagnostics";
import type { Phone } from "../phone/phone";
import { uuid } from "../uuid";
import { OPEN } from "../wire/affairs";
import { RequestRefused } from "../wire/link";
import type { AlertInfo, ServerMessage, SosRules, Whereabouts } from "../wire/protocol";
import { forget, keep, kept, type Unsent } from "./unsent";

/** What holds until the server has said how its key works. */
const RULES: Omit<SosRules, "type"> = {
  hold_ms: 1500,
  countdown_ms: 0,
  covert: false,
  phone: "",
  again_ms: 500,
  microphone_ms: 0,
};
const KEPT = "poc.sos";
/** Who was last told here that he may raise an alert. */
const KEPT_RIGHT = "poc.sos.user";
const PLACE_AGE_MS = 60_000;
const PLACE_WITHIN_MS = 10_000;
/** What is open is told in one breath with the rules, after each welcome. */
const TOLD_WITHIN_MS = 2_000;
/** Who cannot hold the key may take back so long what he touched. */
const TAPPED_MS = 3_000;
/** Of what was pressed longer ago a page that was loaded anew only tells, and opens no microphone. */
const SPEAKS_WITHIN_MS = 120_000;
/** Why taking back is refused when there is nothing left to take back. */
const GONE = new Set(["alert_over", "not_found"]);

export type SosState =
  | { name: "quiet" }
  | { name: "arming" }
  | { name: "counting"; until: number }
  | { name: "not_sent"; alert: string; tries: number }
  /** `told`: at how many desks it rang; null: another page sent it. */
  | { name: "confirmed"; alert: string; told: number | null };

/** `alert`: the open one it belongs to, which may be one raised before. */
type Answer = {
  alert: string;
  state: AlertInfo["state"];
  told: number;
  group?: string | null;
  microphone_ms: number;
};
type Battery = { level: number };

export class SosKey {
  readonly state = signal<SosState>({ name: "quiet" });
  #timer = 0;
  #place: Whereabouts | null = null;
  #battery: number | null = null;
  #unsent: Unsent | null = null;
  /** The alert that was taken back before anybody had confirmed it. */
  #takenBack = "";
  #speaks = true;
  /** Ends the open microphone of the alert that is open. */
  #silent: (() => void) | null = null;

  constructor(
    private readonly phone: Phone,
    private readonly user = current()?.id ?? "",
  ) {
    phone.follow((message) => this.#told(message));
    remember(phone.affairs.peek().sos);
    const before = kept(user, Date.now());
    if (before) this.#begin(before, Date.now() - before.pressed_ms < SPEAKS_WITHIN_MS);
  }

  /** The rules of this server; of the one before while there is no connection. */
  get rules(): typeof RULES {
    return this.phone.affairs.value.sos ?? keptRules();
  }

  down(): void {
    // Who presses again while it counts down is in fear, not of another mind: taking back has a button of its own.
    if (this.state.value.name !== "quiet") return;
    this.phone.touched();
    this.#locate();
    const { hold_ms, covert } = this.rules;
    if (hold_ms === 0) return this.#held();
    this.state.value = { name: "arming" };
    if (!covert) navigator.vibrate?.([60, 200, 60, 200, 60]);
    this.#timer = window.setTimeout(() => this.#held(), hold_ms);
  }

  /** Touched by one who cannot hold it, with a screen reader: it goes out after a while in which he may take it back. */
  tapped(): void {
    if (this.state.value.name !== "quiet") return;
    this.phone.touched();
    this.#locate();
    const { countdown_ms, covert } = this.rules;
    if (covert) return this.#raise();
    this.#count(Math.max(countdown_ms, TAPPED_MS));
  }

  /** Let go before the time: nothing happens. */
  up(): void {
    if (this.state.value.name === "arming") this.#quiet();
  }

  /** Takes it back: what counts down or has not got through, at once; what was confirmed, when the server has agreed. */
  async cancel(): Promise<void> {
    const now = this.state.value;
    if (now.name === "not_sent") {
      this.#takenBack = now.alert;
      forget(this.user);
      this.#quiet();
      return this.#withdraw(now.alert, false);
    }
    if (now.name === "confirmed") {
      await this.phone.ask({ type: "sos_cancel", alert: now.alert }).catch((problem: unknown) => {
        if (!(problem instanceof RequestRefused && GONE.has(problem.code))) throw problem;
      });
    }
    this.#quiet();
  }

  /** It may have got through although no answer came: then it ends there, or the page says that it is open. */
  async #withdraw(alert: string, raised: boolean): Promise<void> {
    try {
      await this.phone.ask({ type: "sos_cancel", alert });
    } catch (problem) {
      if (problem instanceof RequestRefused && GONE.has(problem.code)) return;
      const known = this.phone.affairs.peek().alerts[alert]?.alert;
      if (known ? OPEN.has(known.state) : raised) this.found(alert, known?.covert ?? false);
    }
  }

  /** An alert of mine that is open although this page did not raise it: the page was loaded anew, or another device pressed. */
  found(alert: string, covert: boolean): void {
    if (this.state.value.name !== "quiet") return;
    this.phone.covert.value = covert;
    this.state.value = { name: "confirmed", alert, told: null };
  }

  /** Somebody closed the alert: the key is ready again. */
  over(alert: string): void {
    const now = this.state.value;
    if (now.name === "confirmed" && now.alert === alert) this.#quiet();
  }

  /**
   * The server said how the key works: this phone came, or came back. An alert that is not told again then was closed while
   * it was away. Returns what stops the waiting.
   */
  came(): () => void {
    const timer = window.setTimeout(() => {
      const now = this.state.value;
      if (now.name === "confirmed" && !this.phone.affairs.peek().alerts[now.alert]) this.#quiet();
    }, TOLD_WITHIN_MS);
    return () => clearTimeout(timer);
  }

  #quiet(): void {
    clearTimeout(this.#timer);
    this.#silent?.();
    this.#silent = null;
    this.phone.covert.value = false;
    this.state.value = { name: "quiet" };
  }

  #held(): void {
    const { countdown_ms, covert } = this.rules;
    if (countdown_ms === 0 || covert) return this.#raise();
    this.#count(countdown_ms);
  }

  #count(ms: number): void {
    this.state.value = { name: "counting", until: performance.now() + ms };
    navigator.vibrate?.([200, 800, 200, 800, 200]);
    this.#timer = window.setTimeout(() => this.#raise(), ms);
  }

  #raise(): void {
    const { covert } = this.rules;
    const group = this.phone.picture.value.selected;
    const incident = this.phone.incidents.value.list.find((one) => one.group?.id === group);
    const sos: Unsent = {
      alert: `al-${uuid()}`,
      pressed_ms: Date.now(),
      ...(covert ? { covert } : {}),
      ...(group ? { group } : {}),
      ...(incident ? { incident: incident.code } : {}),
    };
    mark("sos_pressed", { alert: sos.alert });
    this.#begin(sos);
  }

  /** It goes out from now on until somebody has confirmed it. */
  #begin(sos: Unsent, speaks = true): void {
    this.#unsent = sos;
    // Who presses anew means it: what got through of a press before is his alert again.
    this.#takenBack = "";
    this.#speaks = speaks;
    this.phone.covert.value = sos.covert ?? false;
    this.state.value = { name: "not_sent", alert: sos.alert, tries: 0 };
    this.#send(sos.alert);
    this.#foresee(sos);
    this.#keep();
  }

  /** After it was sent, and the floor asked for: writing takes its time (40 ms were seen on a busy machine). */
  #keep(): void {
    if (this.#unsent) keep(this.user, this.#unsent);
  }

  /** Whether there was still something to send. */
  #send(alert: string): boolean {
    const now = this.state.value;
    if (now.name !== "not_sent" || now.alert !== alert || !this.#unsent) return false;
    this.state.value = { ...now, tries: now.tries + 1 };
    if (!this.phone.covert.peek()) navigator.vibrate?.(now.tries === 0 ? 400 : 80);
    const sos = this.#known(this.#unsent);
    this.#unsent = sos;
    this.phone
      .ask({ type: "sos", ...sos })
      .then((answer) => {
        if (answer.type === "sos_confirmed") this.#confirmed(alert, answer);
      })
      .catch(() => undefined);
    // The same by HTTPS: whichever way is open carries it, and the server takes it once.
    void this.#post(sos).catch(() => undefined);
    this.#timer = window.setTimeout(() => this.#send(alert) && this.#keep(), this.rules.again_ms ?? 500);
    return true;
  }

  async #post(sos: Unsent): Promise<void> {
    const token = await freshToken();
    const response = await fetch("/api/v1/alerts", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(sos),
    });
    if (!response.ok) return;
    this.#confirmed(sos.alert, (await response.json()) as Answer);
  }

  /** The server has it and leads it, though it may not be kept yet: he is heard from now on. */
  #told(message: ServerMessage): void {
    if (message.type === "sos_rules") remember(message);
    const now = this.state.peek();
    if (message.type !== "brought_in" || now.name !== "not_sent" || message.call !== now.alert) return;
    this.#speak(message.group.id, this.rules.microphone_ms ?? 0);
  }

  #confirmed(alert: string, answer: Answer): void {
    const now = this.state.value;
    const open = OPEN.has(answer.state);
    if (alert === this.#takenBack && open) {
      // It was under way when it was taken back; an alert of before to which it would have belonged stays.
      if (answer.alert === alert) void this.#withdraw(alert, true);
      else this.found(answer.alert, false);
      return;
    }
    if (now.name !== "not_sent" || now.alert !== alert) return;
    // An alert of before was closed in the moment in which this press would have belonged to it: this one goes on.
    if (!open && answer.alert !== alert) return;
    clearTimeout(this.#timer);
    forget(this.user);
    // The answer before was lost, and it was closed meanwhile.
    if (!open) return this.#quiet();
    const { told, group, microphone_ms: microphoneMs } = answer;
    this.state.value = { name: "confirmed", alert: answer.alert, told };
    mark("sos_confirmed", { alert, told });
    if (!this.phone.covert.peek()) navigator.vibrate?.([100, 100, 100]);
    if (group) this.#speak(group, microphoneMs);
  }

  /** Where he is, or the battery, was known only after the alert was taken: said with the same SOS once more. */
  #more(): void {
    const now = this.state.peek();
    if (now.name !== "confirmed" || !this.#unsent || now.alert !== this.#unsent.alert) return;
    this.phone.ask({ type: "sos", ...this.#known(this.#unsent) }).catch(() => undefined);
  }

  /**
   * Asks for the floor with the SOS itself, where it will most likely be said, over whoever talks there, so that the answer comes a
   * round trip earlier: what is asked behind an SOS is answered when he has its tier. Not of a covert one, which colleagues must not
   * hear, nor without a way on which both go out now, nor where only one may talk.
   */
  #foresee(sos: Unsent): void {
    const rules = this.phone.affairs.peek().sos;
    if (!rules || this.phone.linkState.peek() !== "up") return;
    const { group = null, microphone_ms: ms = 0 } = rules;
    const where = group ?? sos.group;
    if (!where || sos.covert || !this.#speaks || ms <= 0) return;
    if (!this.phone.picture.peek().floors[where]?.mayRequest) return;
    this.#silent = this.phone.key.openFor(where, ms);
  }

  #speak(group: string, ms: number): void {
    if (!this.#speaks || ms <= 0) return;
    this.#speaks = false; // once for each press
    mark("sos_microphone", { group });
    if (this.phone.key.opensIn(group)) return;
    this.#silent?.();
    this.#silent = this.phone.key.openFor(group, ms);
  }

  /** With what is known by now of the place and the battery. */
  #known(sos: Unsent): Unsent {
    return {
      ...sos,
      ...(this.#place ? { place: this.#place } : {}),
      ...(this.#battery === null ? {} : { battery: this.#battery }),
    };
  }

  /** Where he is and how full the battery is: known a moment later, and in what is sent from then on. */
  #locate(): void {
    navigator.geolocation?.getCurrentPosition(
      ({ coords, timestamp }) => {
        this.#place = {
          longitude: coords.longitude,
          latitude: coords.latitude,
          accuracy_m: coords.accuracy,
          at_ms: Math.round(timestamp),
        };
        this.#more();
      },
      () => undefined,
      { maximumAge: PLACE_AGE_MS, timeout: PLACE_WITHIN_MS, enableHighAccuracy: true },
    );
    const { getBattery } = navigator as { getBattery?: () => Promise<Battery> };
    void getBattery?.call(navigator).then(
      ({ level }) => {
        this.#battery = Math.round(level * 100);
        this.#more();
      },
      () => undefined,
    );
  }
}

/** Whether this person has the key; before the server has said so, as it was last: a page opened without network has it, too. */
export function mayRaise(phone: Phone, user: string | undefined): boolean {
  const { user: told, rights } = phone.picture.value;
  if (!told) return user !== undefined && localStorage.getItem(KEPT_RIGHT) === user;
  const may = rights.includes("sos");
  if (may) localStorage.setItem(KEPT_RIGHT, told.id);
  else localStorage.removeItem(KEPT_RIGHT);
  return may;
}

/** For a page that is opened without a network. */
function remember(rules: SosRules | null): void {
  if (rules) localStorage.setItem(KEPT, JSON.stringify(rules));
}

function keptRules(): typeof RULES {
  try {
    return { ...RULES, ...(JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Partial<typeof RULES>) };
  } catch {
    return RULES;
  }
}
