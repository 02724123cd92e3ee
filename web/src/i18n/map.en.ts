import type { mapZh } from "./map.zh";

export const mapEn: Record<keyof typeof mapZh, string> = {
  map_empty: "No places yet",
  map_failed: "The map could not be loaded",
  map_nearer: "Nearer",
  map_farther: "Farther",
  map_all: "All",
  map_fresh: "under 2 min",
  map_ageing: "under 10 min",
  map_stale: "outdated",
  map_sight: "View",
  map_take_sight: "Take the view as the area",
  map_draw_hint: "Drag a ring on the map, or take the view",
  map_crossing: "The line crosses itself, draw again",
  map_no_places: "Nobody has reported a place yet",
  map_inside: "{count} inside",
};
