// Who is where: grid cells and the last places of people, drawn here, without tiles. Old places are marked with their age.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ConsoleDesk } from "../../console/desk";
import { t } from "../../i18n";
import { inWgs84 } from "../../map/datum";
import {
  bar,
  boxOf,
  centreOf,
  type Degrees,
  dragged,
  fitted,
  freshness,
  project,
  type Size,
  type View,
  zoomed,
} from "../../map/ground";
import { cells, type Place, places, usePlaces } from "../../map/places";
import { standing, usePresence } from "../../people/presence";
import { ago } from "./ChannelCard";
import { now } from "./now";
import { PersonCard } from "./PersonCard";

const WHEEL = 1.0015;
const STEP = 1.5;
/** Names are drawn from this many pixels per metre on, or when few are there. */
const NAMES_FROM = 0.12;
const NAMES_UP_TO = 60;

export function MapPanel({ desk }: { desk: ConsoleDesk }) {
  usePlaces();
  const there = usePresence();
  const box = useRef<HTMLDivElement>(null);
  const size = useSignal<Size>({ width: 320, height: 400 });
  const chosen = useSignal<View | null>(null);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => {
      if (entry) size.value = { width: entry.contentRect.width, height: entry.contentRect.height };
    });
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, [size]);
  const alerts = desk.phone.alerts.value.flatMap(({ alert }) =>
    alert.place
      ? [{ alert, at: inWgs84(alert.place, alert.place.datum ?? "WGS-84"), ms: alert.place.at_ms }]
      : [],
  );
  const incidents = desk.phone.incidents.value.list;
  const all: Degrees[] = [
    ...places.value.map(({ at }) => at),
    ...cells.value.flatMap(({ outline }) =>
      outline.map(([longitude, latitude]) => ({ longitude, latitude })),
    ),
    ...alerts.map(({ at }) => at),
    ...incidents.flatMap(({ place }) => (place ? [place] : [])),
  ];
  const whole = boxOf(all);
  const view = chosen.value ?? (whole ? fitted(whole, size.value) : null);
  const person = desk.person.value;
  const named = view !== null && (view.scale >= NAMES_FROM || places.value.length <= NAMES_UP_TO);
  const zoom = (factor: number) => {
    const { width, height } = size.value;
    if (view) chosen.value = zoomed(view, size.value, { x: width / 2, y: height / 2 }, factor);
  };
  return (
    <div class="map-panel">
      <div class="map" ref={box}>
        {view ? (
          <svg
            width={size.value.width}
            height={size.value.height}
            role="application"
            aria-label={t("console_map")}
            onWheel={(event) => {
              event.preventDefault();
              const at = { x: event.offsetX, y: event.offsetY };
              chosen.value = zoomed(view, size.value, at, WHEEL ** -event.deltaY);
            }}
            onPointerDown={(event) => {
              const mark = event.target instanceof Element && event.target.closest(".person");
              if (!mark) event.currentTarget.setPointerCapture(event.pointerId);
            }}
            onPointerMove={(event) => {
              if (event.buttons === 1) chosen.value = dragged(view, event.movementX, event.movementY);
            }}
          >
            <Ground view={view} size={size.value} />
            {incidents.map(({ code, title, place, urgent }) => {
              if (!place) return null;
              const { x, y } = project(view, size.value, place);
              return (
                <g
                  key={code}
                  class="incident"
                  data-urgent={urgent ?? false}
                  transform={`translate(${x} ${y})`}
                >
                  <path d="M0 -9 L8 5 L-8 5 Z" />
                  {named && <text y="18">{title}</text>}
                </g>
              );
            })}
            {places.value.map((one) => (
              <Marker
                key={one.user}
                one={one}
                view={view}
                size={size.value}
                standing={standing(there.get(one.user) ?? null)}
                chosen={one.user === person}
                named={named}
                onChoose={() => {
                  desk.person.value = one.user;
                }}
              />
            ))}
            {alerts.map(({ alert, at, ms }) => {
              const { x, y } = project(view, size.value, at);
              return (
                <g key={alert.id} class="sos" transform={`translate(${x} ${y})`}>
                  <circle class="pulse" r="16" />
                  <circle r="7" />
                  <text y="-22">
                    SOS {alert.by.name} · {ago(now.value - ms)}
                  </text>
                </g>
              );
            })}
          </svg>
        ) : (
          <p class="none">{t("map_empty")}</p>
        )}
        <div class="zoom">
          <button type="button" aria-label={t("map_nearer")} onClick={() => zoom(STEP)}>
            ＋
          </button>
          <button type="button" aria-label={t("map_farther")} onClick={() => zoom(1 / STEP)}>
            －
          </button>
          <button type="button" onClick={() => (chosen.value = null)}>
            {t("map_all")}
          </button>
        </div>
        {view && <Scale view={view} size={size.value} />}
        <ul class="legend">
          <li data-age="fresh">{t("map_fresh")}</li>
          <li data-age="ageing">{t("map_ageing")}</li>
          <li data-age="stale">{t("map_stale")}</li>
        </ul>
      </div>
      {person && (
        <PersonCard desk={desk} user={person} place={places.value.find(({ user }) => user === person)} />
      )}
    </div>
  );
}

function Ground({ view, size }: { view: View; size: Size }) {
  return (
    <g class="ground">
      {cells.value.map(({ code, name, outline }) => {
        const points = outline.map(([longitude, latitude]) => project(view, size, { longitude, latitude }));
        const middle = project(view, size, centreOf(outline));
        const width = Math.max(...points.map(({ x }) => x)) - Math.min(...points.map(({ x }) => x));
        return (
          <g key={code}>
            <polygon points={points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")}>
              <title>
                {name} {code}
              </title>
            </polygon>
            {width > name.length * 13 && (
              <text x={middle.x} y={middle.y}>
                {name}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

type MarkerProps = {
  one: Place;
  view: View;
  size: Size;
  standing: string;
  chosen: boolean;
  named: boolean;
  onChoose: () => void;
};

function Marker({ one, view, size, standing: stands, chosen, named, onChoose }: MarkerProps) {
  const { x, y } = project(view, size, one.at);
  const age = Math.max(0, now.value - one.seen_ms);
  const fresh = freshness(age);
  const radius = (one.position.accuracy_m ?? 0) * view.scale;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a mark in a drawing cannot be a button
    <g
      class="person"
      role="button"
      tabIndex={0}
      aria-label={`${one.name} ${ago(age)}`}
      data-user={one.user}
      data-age={fresh}
      data-standing={stands}
      data-chosen={chosen}
      transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}
      onClick={onChoose}
      onKeyDown={(event) => event.key === "Enter" && onChoose()}
    >
      {chosen && radius > 8 && <circle class="accuracy" r={radius} />}
      <circle class="dot" r="6" />
      {(named || chosen) && (
        <text y="19">
          {one.name}
          {fresh !== "fresh" && ` · ${ago(age)}`}
        </text>
      )}
    </g>
  );
}

function Scale({ view, size }: { view: View; size: Size }) {
  const { metres, pixels } = bar(view, size);
  return (
    <p class="scale" style={{ width: `${pixels}px` }}>
      {metres >= 1000 ? `${metres / 1000} km` : `${metres} m`}
    </p>
  );
}
