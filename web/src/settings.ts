// What a person or an operator may set on this device, kept in local storage under names of our own.

import { uuid } from "./uuid";

const LISTEN = "poc.listen";
const DESK = "poc.desk";
const DENSE = "poc.dense";
const MONITORED = "poc.monitored";

const DEVICE = "poc.device";
const GROUP = "poc.group";

/** The group that was chosen last in this tab. */
export function lastGroup(): string | null {
  return sessionStorage.getItem(GROUP);
}

export function keepLastGroup(group: string): void {
  sessionStorage.setItem(GROUP, group);
}

/** Tells this page from another of the same person, also after it was loaded anew: both are connected, and both ring. */
export function deviceId(): string {
  const kept = sessionStorage.getItem(DEVICE);
  if (kept) return kept;
  const made = `w-${uuid()}`;
  sessionStorage.setItem(DEVICE, made);
  return made;
}

/** `?relay=1` sends all voice through the TURN server: to try whether it works, or on a network that blocks everything else. */
export function relayOnly(): boolean {
  return new URLSearchParams(location.search).get("relay") === "1";
}

/** `?voice=raw` takes the microphone as it is, without echo cancellation, noise suppression and gain control. */
export function voiceProcessing(): boolean {
  return new URLSearchParams(location.search).get("voice") !== "raw";
}

/** The groups a person wants to hear beside the selected one. */
export function listenedGroups(user: string): string[] {
  const kept = read(`${LISTEN}.${user}`);
  return Array.isArray(kept) ? kept.filter((id): id is string => typeof id === "string") : [];
}

export function keepListenedGroups(user: string, groups: string[]): void {
  localStorage.setItem(`${LISTEN}.${user}`, JSON.stringify(groups));
}

/** How a dispatcher's channels sounded when he was here last; null when he never was. */
export function keptDesk(user: string): unknown {
  return read(`${DESK}.${user}`);
}

export function keepDesk(user: string, desk: unknown): void {
  localStorage.setItem(`${DESK}.${user}`, JSON.stringify(desk));
}

/** Whether a dispatcher wants small cards; null while he said nothing. */
export function keptDense(user: string): boolean | null {
  const kept = read(`${DENSE}.${user}`);
  return typeof kept === "boolean" ? kept : null;
}

export function keepDense(user: string, dense: boolean): void {
  localStorage.setItem(`${DENSE}.${user}`, JSON.stringify(dense));
}

/** What this page of a dispatcher monitors: it lasts as long as the page, loaded anew or not, and begins no next shift by itself. */
export function keptMonitored(user: string): unknown {
  return read(`${MONITORED}.${user}`, sessionStorage);
}

export function keepMonitored(user: string, monitored: unknown): void {
  sessionStorage.setItem(`${MONITORED}.${user}`, JSON.stringify(monitored));
}

function read(key: string, storage: Storage = localStorage): unknown {
  try {
    return JSON.parse(storage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}
