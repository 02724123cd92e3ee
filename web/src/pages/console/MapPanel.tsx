// Who is where: grid cells, the last places of people, incidents and SOS. Old places are marked with their age.

import type { ConsoleDesk } from "../../console/desk";
import { t } from "../../i18n";
import { Ages } from "../../map/Ages";
import { CityMap } from "../../map/CityMap";
import { inWgs84 } from "../../map/datum";
import { freshness } from "../../map/degrees";
import { cells, type Place, places, usePlaces } from "../../map/places";
import type { Mark } from "../../map/sheet";
import { standing, usePresence } from "../../people/presence";
import { ago } from "./ChannelCard";
import { now } from "./now";
import { PersonCard } from "./PersonCard";

export function MapPanel({ desk }: { desk: ConsoleDesk }) {
  usePlaces();
  const there = usePresence();
  const person = desk.person.value;
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
        chosen={(id) => {
          const alert = desk.phone.alerts.peek().find((one) => one.alert.id === id)?.alert;
          const found = alert?.by.id ?? places.peek().find(({ user }) => user === id)?.user;
          if (found) desk.person.value = found;
        }}
      >
        {marks.length === 0 && cells.value.length === 0 && <p class="none">{t("map_empty")}</p>}
        <Ages />
      </CityMap>
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

function personAt({ user, name, at, seen_ms, position }: Place, stands: string, chosen: boolean): Mark {
  const age = Math.max(0, now.value - seen_ms);
  const fresh = freshness(age);
  return {
    id: user,
    kind: "person",
    at,
    label: fresh === "fresh" ? name : `${name} · ${ago(age)}`,
    title: `${name} ${ago(age)}`,
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
    const words = `SOS ${by.name} · ${ago(now.value - place.at_ms)}`;
    return [
      { id, kind: "sos", at: inWgs84(place, place.datum ?? "WGS-84"), label: words, title: words, data: {} },
    ];
  });
}
