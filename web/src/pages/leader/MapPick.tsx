// A finger that drags draws the area; the last known places inside it are those who are reached.

import { useSignal } from "@preact/signals";
import { t } from "../../i18n";
import { agoWords } from "../../i18n/moments";
import type { Command } from "../../leader/command";
import { type Place, within } from "../../leader/targets";
import { Ages } from "../../map/Ages";
import { CityMap } from "../../map/CityMap";
import { freshness } from "../../map/degrees";
import type { Mark } from "../../map/marks";
import { crosses, type Point, ringOf } from "../../map/ring";
import "./map.css";

export function MapPick({ command }: { command: Command }) {
  const problem = useSignal("");
  const places = command.places.value;
  const cells = command.cells.value;
  const { ring } = command.chosen.value;
  if (places.length === 0 && cells.length === 0) return <p class="hint">{t("map_no_places")}</p>;
  const drawn = (line: readonly Point[]) => {
    const found = ringOf(line);
    if (!found) return;
    if (crosses(found)) {
      problem.value = t("map_crossing");
    } else {
      problem.value = "";
      command.chosen.value = { ...command.chosen.value, ring: found };
    }
  };
  return (
    <div class="map-pick">
      <CityMap
        label={t("leader_pick_area")}
        marks={places.map(mark)}
        cells={cells}
        area={ring}
        draws
        drawn={drawn}
      >
        <Ages />
      </CityMap>
      <p class="hint" role="status">
        {problem.value ||
          (ring ? t("map_inside", { count: within(places, ring).length }) : t("map_draw_hint"))}
        {ring && (
          <button
            type="button"
            onClick={() => {
              command.chosen.value = { ...command.chosen.value, ring: null };
            }}
          >
            {t("leader_clear")}
          </button>
        )}
      </p>
      <ul class="inside">
        {within(places, ring).map((place) => (
          <li key={place.user}>
            {place.name} <span class="badge">{agoWords(place.ageMs)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function mark({ user, name, ageMs, at: [longitude, latitude] }: Place): Mark {
  const fresh = freshness(ageMs);
  return {
    id: user,
    kind: "person",
    at: { longitude, latitude },
    label: fresh === "fresh" ? name : `${name} · ${agoWords(ageMs)}`,
    title: `${name} · ${agoWords(ageMs)}`,
    data: { user, age: fresh, standing: "placed" },
  };
}
