// Being woken while the page is closed: the browser's subscription to Web Push, told to the server.

import { signal } from "@preact/signals";
import { authorised } from "../account/authorised";
import { language } from "../i18n";

/** `off`: this browser or server cannot; `ask`: it may be switched on; `blocked`: the browser's settings forbid it; `failed`: it was allowed,
 * and the browser's push service cannot be reached. */
export type WakeState = "off" | "ask" | "on" | "blocked" | "failed";

export const wakeState = signal<WakeState>("off");

/** Looks, and renews the subscription where it was allowed before: it belongs to this sign-in. */
export async function lookForWaking(): Promise<void> {
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return;
  if (Notification.permission === "denied") {
    wakeState.value = "blocked";
  } else if (Notification.permission === "default") {
    wakeState.value = "ask";
  } else {
    await subscribe();
  }
}

/** Called in a touch: asks the person, then subscribes. */
export async function allowWaking(): Promise<void> {
  const answer = await Notification.requestPermission();
  if (answer === "granted") await subscribe();
  else wakeState.value = answer === "denied" ? "blocked" : "ask";
}

async function subscribe(): Promise<void> {
  const offered = await authorised<{ key: string }>("GET", "/me/push").catch(() => null);
  if (!offered) {
    wakeState.value = "off";
    return;
  }
  try {
    const { key } = offered;
    const worker = await navigator.serviceWorker.ready;
    const before = await worker.pushManager.getSubscription();
    if (before && !sameKey(before, key)) await before.unsubscribe();
    const made = await worker.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: bytes(key),
    });
    const { endpoint, keys } = made.toJSON();
    await authorised("POST", "/me/push", { endpoint, keys, language: language.peek() });
    wakeState.value = "on";
  } catch {
    // Who allowed it would rely on it.
    wakeState.value = "failed";
  }
}

function sameKey(subscription: PushSubscription, key: string): boolean {
  const used = subscription.options.applicationServerKey;
  const wanted = bytes(key);
  return used !== null && new Uint8Array(used).every((byte, i) => byte === wanted[i]);
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
