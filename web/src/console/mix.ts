// How each channel of a console sounds: volume, mute, solo, left or right ear. Pure; the phone carries it out.

import type { Mix } from "../media/slots";
import type { Tier } from "../wire/protocol";

export type Ear = "both" | "left" | "right";

export type ChannelSound = { volume: number; muted: boolean; ear: Ear };

export type Desk = {
  channels: Readonly<Record<string, ChannelSound>>;
  /** While any channel is here, only these are heard. */
  solo: readonly string[];
};

export const plain: ChannelSound = { volume: 1, muted: false, ear: "both" };
export const emptyDesk: Desk = { channels: {}, solo: [] };

/** An emergency is heard in both ears and at least so loud, whatever was muted or left out. */
export const EMERGENCY_VOLUME = 0.7;
export const VOLUME_STEP = 0.1;

const EARS: readonly Ear[] = ["both", "left", "right"];
const PANS: Record<Ear, number> = { both: 0, left: -1, right: 1 };

export function soundOf(desk: Desk, group: string): ChannelSound {
  return desk.channels[group] ?? plain;
}

/** Whether ordinary talk of the channel is kept from the ears now. */
export function silenced(desk: Desk, group: string): boolean {
  if (desk.solo.length > 0) return !desk.solo.includes(group);
  return soundOf(desk, group).muted;
}

export function mixOf(desk: Desk, group: string, tier: Tier): Mix {
  const { volume, ear } = soundOf(desk, group);
  if (tier > 0) return { gain: Math.max(volume, EMERGENCY_VOLUME), pan: 0 };
  return { gain: silenced(desk, group) ? 0 : volume, pan: PANS[ear] };
}

export function withVolume(desk: Desk, group: string, volume: number): Desk {
  // In tenths, so that ten steps up and ten down end where they began.
  const clamped = Math.round(Math.min(1, Math.max(0, volume)) * 100) / 100;
  return changed(desk, group, { volume: clamped });
}

export function withMute(desk: Desk, group: string): Desk {
  return changed(desk, group, { muted: !soundOf(desk, group).muted });
}

export function withNextEar(desk: Desk, group: string): Desk {
  const at = EARS.indexOf(soundOf(desk, group).ear);
  return changed(desk, group, { ear: EARS[(at + 1) % EARS.length] ?? "both" });
}

export function withSolo(desk: Desk, group: string): Desk {
  const solo = desk.solo.includes(group) ? desk.solo.filter((id) => id !== group) : [...desk.solo, group];
  return { ...desk, solo };
}

/** What was kept on this device; whatever cannot be read is left out. */
export function restored(kept: unknown): Desk {
  const channels: Record<string, ChannelSound> = {};
  const found = (kept as { channels?: Record<string, Partial<ChannelSound>> } | null)?.channels ?? {};
  for (const [group, { volume, muted, ear }] of Object.entries(found)) {
    channels[group] = {
      volume: typeof volume === "number" && volume >= 0 && volume <= 1 ? volume : 1,
      muted: muted === true,
      ear: ear !== undefined && EARS.includes(ear) ? ear : "both",
    };
  }
  // A solo forgotten over night would leave the next shift deaf.
  return { channels, solo: [] };
}

function changed(desk: Desk, group: string, part: Partial<ChannelSound>): Desk {
  return { ...desk, channels: { ...desk.channels, [group]: { ...soundOf(desk, group), ...part } } };
}
