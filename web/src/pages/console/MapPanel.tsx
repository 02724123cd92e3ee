// Who is where: grid cells, the last places of people, incidents and SOS. Old places are marked with their age.

import { type Signal, useSignal } from "@preact/signals";
import type { ConsoleDesk } from "../../console/desk";
import { gatheredNobody } from "../../console/gathering";
import { t } from "../../i18n";
import { agoWords } from "../../i18n/moments";
import { Ages } from "../../map/Ages";
import { CityMap } from "../../map/CityMap";
import { inWgs84 } from "../../map/datum";
import { freshness } from "../../map/degrees";
import type { Mark } from "../../map/marks";
import { cells, type Place, places, seenInside, usePlaces } from "../../map/places";
import { crosses, type Point, ringOf } from "../../map/ring";
import { standing, usePresence } from "../../people/presence";
import { Icon } from "../../ui/icons";
import { calm } from "./now";
import { PersonCard } from "./PersonCard";

export function MapPanel({ desk }: { desk: ConsoleDesk }) {
  usePlaces();
  const there = usePresence();
  const person = desk.person.value;
  const draws = useSignal(false);
  const crossed = useSignal(false);
  const marks = [
    ...incidents(desk),
    ...places.value.map((one) => personAt(one, standing(there.get(one.user) ?? null), one.user === person)),
    ...alerts(desk),
  ];
  return (
    <div class="map-panel">
      <CityMap
        label={t("console_map")}
        marks={marks}
        cells={cells.value}
        area={desk.ring.value}
        draws={draws.value}
        drawn={(line) => {
          const ring = ringOf(line);
          if (!ring) return;
          crossed.value = crosses(ring);
          if (crossed.value) return;
          desk.ring.value = ring;
          draws.value = false; // the map is moved by a finger again
        }}
        chosen={(id) => {
          const alert = desk.phone.alerts.peek().find((one) => one.alert.id === id)?.alert;
          const found = alert?.by.id ?? places.peek().find(({ user }) => user === id)?.user;
          if (found) desk.person.value = found;
        }}
      >
        {marks.length === 0 && cells.value.length === 0 && <p class="none">{t("map_empty")}</p>}
        <Ages />
      </CityMap>
      {desk.phone.picture.value.rights.includes("group_making") && (
        <AreaTools desk={desk} ring={desk.ring.value} draws={draws} crossed={crossed.value} />
      )}
      {person && (
        <PersonCard
          key={person}
          desk={desk}
          user={person}
          place={places.value.find(({ user }) => user === person)}
        />
      )}
    </div>
  );
}

type AreaToolsProps = {
  desk: ConsoleDesk;
  ring: readonly Point[] | null;
  draws: Signal<boolean>;
  crossed: boolean;
};

/** An area is drawn, and whoever is in it is called together. */
function AreaTools({ desk, ring, draws, crossed }: AreaToolsProps) {
  const words = ring ? t("map_inside", { count: seenInside(places.value, ring).length }) : "";
  const hint = draws.value ? t("map_draw_hint") : words;
  return (
    <p class="area-tools acts">
      <button type="button" aria-pressed={draws.value} onClick={() => (draws.value = !draws.value)}>
        <Icon.area /> {t("map_draw")}
      </button>
      <span role="status">{crossed ? t("map_crossing") : hint}</span>
      {ring && (
        <>
          <button type="button" class="primary" onClick={() => desk.gather({ ...gatheredNobody, ring })}>
            <Icon.people /> {t("temporary_title")}
          </button>
          <button type="button" onClick={() => (desk.ring.value = null)}>
            {t("leader_clear")}
          </button>
        </>
      )}
    </p>
  );
}

function personAt({ user, name, at, seen_ms, position }: Place, stands: string, chosen: boolean): Mark {
  const age = Math.max(0, calm.value - seen_ms);
  const fresh = freshness(age);
  return {
    id: user,
    kind: "person",
    at,
    label: fresh === "fresh" ? name : `${name} · ${agoWords(age)}`,
    title: `${name} ${agoWords(age)}`,
    data: { user, age: fresh, standing: stands },
    chosen,
    accuracyM: position.accuracy_m,
  };
}

function incidents(desk: ConsoleDesk): Mark[] {
  return desk.phone.incidents.value.list.flatMap(({ code, title, place, urgent }) =>
    place
      ? [
          {
            id: code,
            kind: "incident",
            at: place,
            label: title,
            title,
            data: { urgent: String(urgent ?? false) },
          },
        ]
      : [],
  );
}

function alerts(desk: ConsoleDesk): Mark[] {
  return desk.phone.alerts.value.flatMap(({ alert: { id, by, place } }) => {
    if (!place) return [];
    const words = `SOS ${by.name} · ${agoWords(calm.value - place.at_ms)}`;
    return [
      { id, kind: "sos", at: inWgs84(place, place.datum ?? "WGS-84"), label: words, title: words, data: {} },
    ];
  });
}
