// The map: grid cells and last known places, drawn here without any tiles, so that it is there when the network is not.
// A finger that drags draws the area; the places inside it are those who are reached.

import { useSignal } from "@preact/signals";
import { t } from "../../i18n";
import type { Command } from "../../leader/command";
import { type Box, boxOf, crosses, type Point, ringOf, type View, view, zoomed } from "../../leader/geo";
import { type Place, within } from "../../leader/targets";
import "./map.css";

const WIDTH = 400;
const HEIGHT = 360;
const CLOSER = 0.6;
const OLD_MS = 30 * 60_000;
/** A line of less is a touch, not an area. */
const LEAST_PX = 4;
/** With more people in sight names would cover each other. */
const NAMED = 14;

export function MapPick({ command }: { command: Command }) {
  const zoom = useSignal<Box | null>(null);
  const line = useSignal<readonly Point[] | null>(null);
  const problem = useSignal("");
  const places = command.places.value;
  const cells = command.cells.value;
  const whole = boxOf([...places.map(({ at }) => at), ...cells.flatMap(({ outline }) => outline)]);
  const box = zoom.value ?? whole;
  const { ring } = command.chosen.value;
  if (!box) return <p class="hint">{t("map_no_places")}</p>;
  const plane = view(box, WIDTH, HEIGHT);

  const pointAt = (event: PointerEvent & { currentTarget: SVGSVGElement }): Point => {
    const svg = event.currentTarget.getBoundingClientRect();
    const fit = Math.min(svg.width / WIDTH, svg.height / HEIGHT);
    return plane.toDegrees([
      (event.clientX - svg.left - (svg.width - WIDTH * fit) / 2) / fit,
      (event.clientY - svg.top - (svg.height - HEIGHT * fit) / 2) / fit,
    ]);
  };
  const drawn = () => {
    const found = line.value && farEnough(line.value, plane) ? ringOf(line.value) : null;
    line.value = null;
    if (found && crosses(found)) {
      problem.value = t("map_crossing");
    } else if (found) {
      problem.value = "";
      command.chosen.value = { ...command.chosen.value, ring: found };
    }
  };
  return (
    <div class="map">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={t("leader_pick_area")}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          line.value = [pointAt(event)];
        }}
        onPointerMove={(event) => {
          if (line.value) line.value = [...line.value, pointAt(event)];
        }}
        onPointerUp={drawn}
        onPointerCancel={() => {
          line.value = null;
        }}
      >
        {cells.map(({ code, name, outline }) => (
          <path key={code} class="cell" d={path(outline, plane)}>
            <title>{name || code}</title>
          </path>
        ))}
        {ring && <path class="area" d={`${path(ring, plane)}Z`} />}
        {line.value && <path class="line" d={path(line.value, plane)} />}
        {places.map((place) => (
          <Dot key={place.user} place={place} plane={plane} named={places.length <= NAMED} />
        ))}
      </svg>
      <div class="map-keys">
        <button type="button" aria-label={t("map_in")} onClick={() => (zoom.value = zoomed(box, CLOSER))}>
          +
        </button>
        <button
          type="button"
          aria-label={t("map_out")}
          onClick={() => (zoom.value = zoomed(box, 1 / CLOSER))}
        >
          −
        </button>
        <button type="button" onClick={() => (zoom.value = null)}>
          {t("map_all")}
        </button>
        <button
          type="button"
          disabled={!ring}
          onClick={() => {
            command.chosen.value = { ...command.chosen.value, ring: null };
          }}
        >
          {t("leader_clear")}
        </button>
      </div>
      <p class="hint" role="status">
        {problem.value || (ring ? "" : t("map_draw_hint"))} {t("map_old")}
      </p>
      <ul class="inside">
        {within(places, ring).map((place) => (
          <li key={place.user}>
            {place.name} <span class="badge">{age(place.ageMs)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Dot({ place, plane, named }: { place: Place; plane: View; named: boolean }) {
  const [x, y] = plane.toPlane(place.at);
  return (
    <g class="dot" data-old={place.ageMs > OLD_MS} transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}>
      <circle r="5" />
      {named && (
        <text x="8" y="4">
          {place.name}
        </text>
      )}
      <title>{`${place.name} · ${age(place.ageMs)}`}</title>
    </g>
  );
}

function age(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return t("map_age_now");
  return minutes < 60
    ? t("map_age_minutes", { count: minutes })
    : t("map_age_hours", { count: Math.round(minutes / 60) });
}

function path(points: readonly Point[], plane: View): string {
  return points
    .map((point, i) => {
      const [x, y] = plane.toPlane(point);
      return `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}

function farEnough(line: readonly Point[], plane: View): boolean {
  const first = line[0];
  if (!first) return false;
  const [x0, y0] = plane.toPlane(first);
  return line.some((point) => {
    const [x, y] = plane.toPlane(point);
    return Math.hypot(x - x0, y - y0) > LEAST_PX;
  });
}
