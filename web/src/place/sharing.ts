// Sharing the place: only when the person switched it on, only while the server wants it (on duty), as often as it says.

import { signal } from "@preact/signals";
import { authorised } from "../account/authorised";

const KEPT = "poc.place";
/** Off duty the server is asked again so often. */
const ASK_AGAIN_S = 60;
const FIX_TIMEOUT_MS = 10_000;
/** Reports kept while there is no network; the server takes as many at once. */
export const KEPT_REPORTS = 100;

export type Report = {
  at_ms: number;
  position?: { at_ms: number; longitude: number; latitude: number; accuracy_m: number; datum: "WGS-84" };
  motion?: { at_ms: number; speed_mps?: number; heading_deg?: number };
  /** A browser knows no cell: its source is none. */
  cell: { at_ms: number };
  battery?: { at_ms: number; percent: number; charging: boolean };
};
export type Wish = { wanted: boolean; interval_s: number; on_duty: boolean };
/** `accepted`: how many reports were taken; none that come sooner than was asked, or were measured off duty. */
type Taken = Wish & { accepted: number };
type Fix = Pick<GeolocationPosition, "timestamp"> & { coords: Omit<GeolocationCoordinates, "toJSON"> };
type Power = { level: number; charging: boolean };

/** What is known now, each part with its time; what is not known is left out. */
export function report(now: number, fix: Fix | null, power: Power | null): Report {
  const made: Report = { at_ms: now, cell: { at_ms: now } };
  if (fix) {
    const { longitude, latitude, accuracy, speed, heading } = fix.coords;
    const at_ms = Math.round(fix.timestamp);
    made.position = { at_ms, longitude, latitude, accuracy_m: accuracy, datum: "WGS-84" };
    const motion = {
      ...(speed !== null && speed >= 0 ? { speed_mps: speed } : {}),
      ...(heading !== null && heading >= 0 && heading < 360 ? { heading_deg: heading } : {}),
    };
    if (Object.keys(motion).length > 0) made.motion = { at_ms, ...motion };
  }
  if (power) made.battery = { at_ms: now, percent: Math.round(power.level * 100), charging: power.charging };
  return made;
}

export class PlaceSharing {
  readonly on = signal(localStorage.getItem(KEPT) === "on");
  /** What the server wants; null until it was asked. */
  readonly wish = signal<Wish | null>(null);
  /** The newest report the server took. */
  readonly told = signal<Report | null>(null);
  readonly refused = signal(false);
  #waiting: Report[] = [];
  #timer = 0;

  start(): void {
    void this.#turn();
  }

  toggle(): void {
    this.on.value = !this.on.value;
    this.refused.value = false;
    localStorage.setItem(KEPT, this.on.value ? "on" : "off");
    if (!this.on.value) {
      this.#waiting = [];
      this.told.value = null;
    }
    void this.#turn();
  }

  async #turn(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      if (this.on.value && this.wish.value?.wanted) await this.#tell();
      else if (this.on.value && this.#waiting.length > 0) await this.#send();
      else this.wish.value = await authorised<Wish>("GET", "/me/place/reporting");
    } catch {
      // No network, or the server is away: what was not told is kept for the next time.
    }
    const { wanted = false, interval_s = ASK_AGAIN_S } = this.wish.value ?? {};
    const soon = this.on.value && wanted && this.told.value === null && !this.refused.value;
    const pause = this.on.value && wanted ? interval_s : Math.max(interval_s, ASK_AGAIN_S);
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#turn(), soon ? 1_000 : pause * 1_000);
  }

  async #tell(): Promise<void> {
    const [fix, power] = await Promise.all([this.#fix(), battery()]);
    if (!this.on.value) return;
    const newest = report(Date.now(), fix, power);
    this.#waiting = [...this.#waiting, newest].slice(-KEPT_REPORTS);
    await this.#send();
  }

  /** Also off duty, of what was measured on duty without network. */
  async #send(): Promise<void> {
    const sent = this.#waiting;
    const { accepted, ...wish } = await authorised<Taken>("POST", "/me/place", { reports: sent });
    this.wish.value = wish;
    this.#waiting = this.#waiting.filter((each) => !sent.includes(each));
    if (!this.on.value || !wish.wanted) this.told.value = null;
    else if (accepted > 0) this.told.value = sent.at(-1) ?? null;
  }

  #fix(): Promise<Fix | null> {
    return new Promise((done) => {
      if (!navigator.geolocation) return done(null);
      navigator.geolocation.getCurrentPosition(
        (found) => {
          this.refused.value = false;
          done(found);
        },
        (problem) => {
          this.refused.value = problem.code === problem.PERMISSION_DENIED;
          done(null);
        },
        { enableHighAccuracy: true, maximumAge: 5_000, timeout: FIX_TIMEOUT_MS },
      );
    });
  }
}

async function battery(): Promise<Power | null> {
  const asked = (navigator as { getBattery?: () => Promise<Power> }).getBattery;
  return asked ? asked.call(navigator).catch(() => null) : null;
}

/** One for the page: the key in the bar and the words in the side speak of the same. */
export const sharing = new PlaceSharing();
