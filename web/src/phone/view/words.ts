// Words and icon of every face.

import { refusalWords, t } from "../../i18n";
import type { Key } from "../../i18n/zh";
import { Icon } from "../../ui/icons";
import type { RevokeCause } from "../../wire/protocol";
import type { Face } from "../face";

export type Spoken = { title: string; hint: string };

/** `byItself`: no hand holds the key, an SOS opened the microphone for a while. */
export function spoken(face: Face, now: number, byItself = false): Spoken {
  switch (face.name) {
    case "talking":
    case "ending":
      return { title: t(`face_${face.name}`), hint: endingHint(face, now, byItself) };
    case "revoked":
    case "revoked_grace":
      return { title: t(`face_${face.name}`), hint: revokeWords(face.cause) };
    case "queued":
      return {
        title: t("face_queued", { position: face.position }),
        hint: t(byItself ? "face_queued_opened_hint" : "face_queued_hint", { size: face.size }),
      };
    case "denied":
      return { title: t("face_denied"), hint: deniedHint(face, now) };
    case "taken":
      return {
        title: t("face_taken", { name: face.by.name }),
        hint: t(face.over ? "face_taken_over_hint" : "face_taken_hint"),
      };
    default:
      return { title: t(`face_${face.name}`), hint: t(`face_${face.name}_hint`) };
  }
}

export function secondsLeft(until: number, now: number): number {
  return Math.max(0, Math.ceil((until - now) / 1000));
}

function endingHint(
  face: { name: "talking" | "ending"; endsAt: number },
  now: number,
  byItself: boolean,
): string {
  if (face.name === "ending") return t("face_ending_hint", { seconds: secondsLeft(face.endsAt, now) });
  return t(byItself ? "face_opened_hint" : "face_talking_hint");
}

function deniedHint(face: Extract<Face, { name: "denied" }>, now: number): string {
  const reason = refusalWords(face.code);
  if (face.retryAt === null || face.retryAt <= now) return reason;
  return t("face_denied_retry", { reason, seconds: secondsLeft(face.retryAt, now) });
}

export function revokeWords(cause: RevokeCause): string {
  return t(`revoke_${cause}` as Key);
}

export const FACE_ICONS: Record<Face["name"], () => preact.JSX.Element> = {
  connecting: Icon.wait,
  reconnecting: Icon.wait,
  no_network: Icon.offline,
  no_answer: Icon.offline,
  no_path_yet: Icon.wait,
  no_group: Icon.people,
  idle: Icon.mic,
  listen_only: Icon.ear,
  requesting: Icon.wait,
  microphone_starting: Icon.wait,
  hold_on: Icon.clock,
  get_ready: Icon.clock,
  releasing: Icon.mic,
  talking: Icon.mic,
  ending: Icon.clock,
  revoked_grace: Icon.stop,
  revoked: Icon.stop,
  queued: Icon.queue,
  denied: Icon.stop,
  taken: Icon.speaker,
};
