// The talk button: as large as the screen allows, within reach of a thumb.

import { useEffect, useMemo } from "preact/hooks";
import { t } from "../../i18n";
import { COUNTDOWN_MS } from "../face";
import { bindSpace, TalkKey } from "../key";
import type { Phone } from "../phone";
import { FACE_ICONS, secondsLeft } from "./words";

const RING = 2 * Math.PI * 47;

export function TalkButton({ phone }: { phone: Phone }) {
  const key = useMemo(
    () =>
      new TalkKey(
        (at) => phone.key.press(at),
        () => phone.key.lift(),
      ),
    [phone],
  );
  useEffect(() => bindSpace(key), [key]);
  const face = phone.face.value;
  const Glyph = FACE_ICONS[face.name];
  const held = phone.floorState.value.held && !phone.covert.value;
  return (
    <button
      type="button"
      class="talk"
      data-talk-key
      aria-label={t("talk_label")}
      aria-pressed={held}
      style={{ "--level": phone.level.value.toFixed(2) }}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        key.down(event.pointerId, event.timeStamp);
      }}
      onPointerUp={(event) => key.up(event.pointerId)}
      onPointerCancel={(event) => key.up(event.pointerId)}
      onLostPointerCapture={(event) => key.up(event.pointerId)}
      onContextMenu={(event) => event.preventDefault()}
    >
      <svg class="ring" viewBox="0 0 100 100" aria-hidden="true">
        <circle cx="50" cy="50" r="47" />
        {face.name === "ending" && (
          <circle
            class="left"
            cx="50"
            cy="50"
            r="47"
            stroke-dasharray={RING}
            stroke-dashoffset={RING * (1 - Math.max(0, face.endsAt - phone.now.value) / COUNTDOWN_MS)}
          />
        )}
      </svg>
      {face.name === "ending" ? (
        <span class="countdown">{secondsLeft(face.endsAt, phone.now.value)}</span>
      ) : (
        <Glyph />
      )}
    </button>
  );
}
