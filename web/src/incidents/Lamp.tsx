// How much of its time a case has left, in one sign.

import { t } from "../i18n";
import type { IncidentSummary } from "../wire/protocol";
import "./lamp.css";

export function Lamp({ lamp = "off" }: { lamp?: IncidentSummary["lamp"] | undefined }) {
  const words = t(`lamp_${lamp}`);
  return <span class="lamp" data-lamp={lamp} role="img" aria-label={words} title={words} />;
}
