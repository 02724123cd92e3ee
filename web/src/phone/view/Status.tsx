// The state in large words, above the button, where a thumb does not cover it.

import { refusalWords, t } from "../../i18n";
import type { Face } from "../face";
import type { Phone } from "../phone";
import { FACE_ICONS, spoken } from "./words";

/** A name of so many letters stands in one line, in letters that are read from a metre away. */
const SHORT = 6;

export function Status({ phone }: { phone: Phone }) {
  const face = phone.face.value;
  const { title, hint } = spoken(face, phone.now.value, phone.key.byItself.value);
  const Glyph = FACE_ICONS[face.name];
  const uncounted = withoutSeconds(face);
  const tier = face.name === "taken" ? face.tier : 0;
  return (
    <section class="status" role="status" aria-live="assertive" aria-atomic="true">
      {tier > 0 && <span class="tier">{t(tier === 2 ? "emergency" : "imminent_peril")}</span>}
      <p class="title" data-long={title.length > SHORT}>
        <Glyph />
        <span>{title}</span>
      </p>
      <p class="hint" aria-hidden={uncounted !== null}>
        {hint}
      </p>
      {uncounted && <span class="visually-hidden">{uncounted}</span>}
    </section>
  );
}

/** What is read out while the hint counts seconds: each of them would be read over what is said. Null: it counts none. */
function withoutSeconds(face: Face): string | null {
  if (face.name === "ending") return "";
  return face.name === "denied" && face.retryAt !== null ? refusalWords(face.code) : null;
}
