// Shown to one who was taken out of the group he talked in: from then on he talks in another.

import { t } from "../../i18n";
import type { Phone } from "../phone";

export function LeftGroup({ phone }: { phone: Phone }) {
  const name = phone.leftGroup.name.value;
  if (!name) return null;
  return (
    <p class="switched left" role="status">
      <span>{t("left_group", { name })}</span>
      <button type="button" class="back" onClick={() => (phone.leftGroup.name.value = null)}>
        {t("close")}
      </button>
    </p>
  );
}
