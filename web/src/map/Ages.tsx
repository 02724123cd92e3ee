// What the looks of a mark say of the age of its place.

import { t } from "../i18n";

export function Ages() {
  return (
    <ul class="ages">
      <li data-age="fresh">{t("map_fresh")}</li>
      <li data-age="ageing">{t("map_ageing")}</li>
      <li data-age="stale">{t("map_stale")}</li>
    </ul>
  );
}
