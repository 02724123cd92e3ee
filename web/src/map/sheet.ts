// One drawn map. What stands on it is told as data, in WGS-84; Leaflet draws it, over the operator's tiles if there are any.

import * as L from "leaflet";
import "leaflet/dist/leaflet.css";
import { inGcj02, inWgs84 } from "./datum";
import type { Degrees } from "./degrees";
import { readable } from "./labels";
import { above, type Mark, same } from "./marks";
import type { Cell } from "./places";
import { box, drawn, type Point } from "./ring";
import { step } from "./steps";
import type { Tiles } from "./tiles";

export type Ring = readonly Point[];

export type Told = {
  /** A mark was clicked, touched or entered. */
  chosen?: (id: string) => void;
  /** A finger drew a line, while `drawing`. */
  drawn?: (line: Point[]) => void;
};

const MOST_ZOOM = 19;
/** Names in sight that are judged; of more, the least important go without. */
const NAMES_UP_TO = 300;
const NAME_PX = 16;
const DOT_PX = 14;
/** A map of one place still shows its surroundings. */
const LEAST_M = 500;
const PAN_PX = 80;
/** A line of less is a touch, not an area. */
const LEAST_LINE_PX = 6;
const LETTER_PX = 13;
const CELL_NAMES_UP_TO = 150;
const PANS: Readonly<Record<string, L.PointExpression>> = {
  ArrowLeft: [-PAN_PX, 0],
  ArrowRight: [PAN_PX, 0],
  ArrowUp: [0, -PAN_PX],
  ArrowDown: [0, PAN_PX],
};

/** What a cell covers, on the shown map. */
type Area = { name: string; bounds: L.LatLngBounds };
/** `width`: of its name, measured when the name changed; null: not yet. */
type Stands = { marker: L.Marker; face: HTMLElement; mark: Mark; width: number | null };

export class Sheet {
  readonly #map: L.Map;
  readonly #datum: Tiles["datum"];
  readonly #told: Told;
  readonly #marks = new Map<string, Stands>();
  readonly #cells = L.layerGroup();
  readonly #cellNames = L.layerGroup();
  readonly #accuracy = L.circle([0, 0], { radius: 1, className: "accuracy", interactive: false });
  readonly #area = L.polygon([], { className: "area", interactive: false });
  readonly #line = L.polyline([], { className: "line", interactive: false });
  readonly #watch: ResizeObserver;
  #areas: readonly Area[] = [];
  #fitted: L.LatLngBounds | null = null;
  /** Somebody moved the map: it no longer follows what stands on it. */
  #moved = false;
  #fitting = false;
  #drawing: Point[] | null = null;
  #draws = false;
  /** The mark at which the Tab key stops. */
  #stop: string | null = null;

  constructor(box: HTMLElement, tiles: Tiles | null, told: Told) {
    this.#told = told;
    this.#datum = tiles?.datum ?? "WGS-84";
    this.#map = L.map(box, {
      zoomControl: false,
      attributionControl: false,
      keyboard: false, // its keys would be taken from the page; the arrows are ours
      zoomSnap: 0.25,
      maxZoom: MOST_ZOOM,
      minZoom: 3,
      zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      center: [35, 105],
      zoom: 4,
    });
    L.control.scale({ imperial: false, position: "topleft" }).addTo(this.#map);
    if (tiles) this.#lay(tiles);
    for (const layer of [this.#cells, this.#cellNames, this.#area, this.#line]) layer.addTo(this.#map);
    this.#map.on("dragstart", () => (this.#moved = true));
    this.#map.on("zoomstart", () => (this.#moved ||= !this.#fitting));
    this.#map.on("zoomend moveend", () => {
      this.#nameCells();
      this.#name();
    });
    this.#watch = new ResizeObserver(() => {
      this.#map.invalidateSize({ animate: false });
      if (!this.#moved && !this.#drawing) this.whole();
    });
    this.#watch.observe(box);
    box.tabIndex = 0;
    box.addEventListener("keydown", this.#pan);
    box.addEventListener("pointerdown", this.#lineBegins);
    box.addEventListener("pointermove", this.#lineGoesOn);
    box.addEventListener("pointerup", this.#lineEnds);
    box.addEventListener("pointercancel", this.#lineIsLost);
  }

  remove(): void {
    this.#watch.disconnect();
    this.#map.remove();
  }

  // --- what stands on it -------------------------------------------------------------------------------------

  marks(wanted: readonly Mark[]): void {
    const kept = new Set(wanted.map(({ id }) => id));
    let isNews = false;
    for (const [id, { marker }] of this.#marks) {
      if (kept.has(id)) continue;
      marker.remove();
      this.#marks.delete(id);
      isNews = true;
    }
    // Thousands stand here, and are told every few seconds: only what is different is drawn.
    for (const mark of wanted) {
      const known = this.#marks.get(mark.id)?.mark;
      if (known && same(known, mark)) continue;
      this.#stand(mark);
      isNews = true;
    }
    if (!isNews) return;
    const chosen = wanted.find((mark) => mark.chosen);
    if (chosen?.accuracyM) {
      this.#accuracy.setLatLng(this.#shown(chosen.at)).setRadius(chosen.accuracyM).addTo(this.#map);
    } else {
      this.#accuracy.remove();
    }
    this.#stopAt(this.#marks.has(this.#stop ?? "") ? this.#stop : (chosen ?? wanted[0])?.id);
    this.#follow();
    this.#name();
  }

  cells(cells: readonly Cell[]): void {
    this.#cells.clearLayers();
    this.#areas = cells.map(({ code, name, outline }) => {
      const words = document.createElement("span"); // a string would be taken for HTML
      words.textContent = `${name} ${code}`;
      const cell = L.polygon(this.#corners(outline), { className: "cell" });
      cell.bindTooltip(words, { sticky: true }).addTo(this.#cells);
      return { name, bounds: cell.getBounds() };
    });
    this.#follow();
    this.#nameCells();
  }

  area(ring: Ring | null): void {
    this.#area.setLatLngs(ring ? this.#corners(ring) : []);
  }

  /** While it draws, a finger that drags draws a line instead of moving the map. */
  drawing(on: boolean): void {
    this.#draws = on;
    this.#map.getContainer().dataset.drawing = String(on);
    if (on) {
      this.#map.dragging.disable();
      this.#map.doubleClickZoom.disable();
      this.#map.boxZoom.disable();
    } else {
      this.#map.dragging.enable();
      this.#map.doubleClickZoom.enable();
      this.#map.boxZoom.enable();
    }
  }

  // --- what is looked at ---------------------------------------------------------------------------------------

  nearer(): void {
    this.#map.zoomIn(1);
  }

  farther(): void {
    this.#map.zoomOut(1);
  }

  /** What it shows, as a line that was drawn: an area for whoever draws with no finger. */
  inSight(): Point[] {
    const sight = this.#map.getBounds();
    const corners = box(sight.getWest(), sight.getSouth(), sight.getEast(), sight.getNorth());
    return corners.map((each) => drawn(each, this.#datum));
  }

  /** All that stands on it, and from now on all that comes. */
  whole(): void {
    this.#moved = false;
    this.#fit(this.#extent());
  }

  // --- private -------------------------------------------------------------------------------------------------

  /** Goes on showing all, unless somebody moved the map or is drawing on it. */
  #follow(): void {
    if (this.#moved || this.#drawing) return;
    const extent = this.#extent();
    if (!this.#fitted?.equals(extent)) this.#fit(extent);
  }

  #extent(): L.LatLngBounds {
    const bounds = L.latLngBounds([]);
    for (const { mark } of this.#marks.values()) bounds.extend(this.#shown(mark.at).toBounds(LEAST_M));
    for (const area of this.#areas) bounds.extend(area.bounds);
    return bounds;
  }

  #fit(bounds: L.LatLngBounds): void {
    if (!bounds.isValid()) return;
    this.#fitted = bounds;
    this.#fitting = true;
    this.#map.fitBounds(bounds, { animate: false, padding: [24, 24] });
    this.#fitting = false;
  }

  #lay({ template, hosts, most_zoom, attribution }: Tiles): void {
    const options = {
      maxNativeZoom: most_zoom,
      maxZoom: MOST_ZOOM,
      subdomains: [...hosts],
      className: "tiles",
    };
    L.tileLayer(template, options).addTo(this.#map);
    if (attribution) {
      const words = document.createElement("span");
      words.textContent = attribution;
      L.control.attribution({ prefix: false }).addAttribution(words.innerHTML).addTo(this.#map);
    }
  }

  #stand(mark: Mark): void {
    const found = this.#marks.get(mark.id);
    const stands = found ?? this.#newcomer(mark);
    const { marker, face } = stands;
    if (
      found &&
      (found.mark.at.longitude !== mark.at.longitude || found.mark.at.latitude !== mark.at.latitude)
    ) {
      marker.setLatLng(this.#shown(mark.at));
    }
    stands.mark = mark;
    face.className = mark.kind;
    Object.assign(face.dataset, mark.data, { chosen: String(mark.chosen ?? false) });
    const label = face.lastElementChild;
    if (label && label.textContent !== mark.label) {
      label.textContent = mark.label;
      stands.width = null;
    }
    const element = marker.getElement();
    element?.setAttribute("aria-label", mark.title);
    element?.setAttribute("role", this.#told.chosen ? "button" : "img");
    marker.setZIndexOffset(above(mark));
  }

  #newcomer(mark: Mark): Stands {
    const face = document.createElement("div");
    face.append(document.createElement("i"), document.createElement("span"));
    const icon = L.divIcon({ html: face, className: "mark", iconSize: [0, 0] });
    const acts = this.#told.chosen !== undefined;
    const marker = L.marker(this.#shown(mark.at), { icon, interactive: acts, keyboard: acts });
    marker.on("click", () => this.#told.chosen?.(mark.id));
    marker.on("keydown", ({ originalEvent }) => {
      this.#step(originalEvent, mark.id);
      if (originalEvent.key !== "Enter") return;
      originalEvent.stopPropagation(); // elsewhere on the page it accepts a call
      if (!originalEvent.repeat) this.#told.chosen?.(mark.id);
    });
    marker.addTo(this.#map);
    const element = marker.getElement();
    if (element && acts) element.tabIndex = -1;
    element?.addEventListener("focus", () => this.#stopAt(mark.id));
    const stands: Stands = { marker, face, mark, width: null };
    this.#marks.set(mark.id, stands);
    return stands;
  }

  #stopAt(id: string | null | undefined): void {
    const element = (at: string | null) => this.#marks.get(at ?? "")?.marker.getElement();
    const [before, now] = [element(this.#stop), element(id ?? null)];
    this.#stop = id ?? null;
    if (!this.#told.chosen) return;
    if (before) before.tabIndex = -1;
    if (now) now.tabIndex = 0;
  }

  /** From one mark to the next, where the map would be moved by the same key. */
  #step(event: KeyboardEvent, from: string): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const marks = [...this.#marks.values()].map(({ mark }) => mark);
    const next = this.#marks.get(step(event.key, from, marks, above) ?? "")?.marker;
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    this.#moved = true;
    this.#map.panInside(next.getLatLng(), { padding: [PAN_PX / 2, PAN_PX / 2] });
    next.getElement()?.focus({ preventScroll: true });
  }

  /** Names that would cover each other are shown when their mark is pointed at. */
  #name(): void {
    const sight = this.#map.getBounds();
    const inSight = [...this.#marks.values()].filter(({ marker }) => sight.contains(marker.getLatLng()));
    inSight.sort((a, b) => above(b.mark) - above(a.mark));
    const labels = inSight.slice(0, NAMES_UP_TO).map((stands) => {
      const { marker, mark, face } = stands;
      const at = this.#map.latLngToContainerPoint(marker.getLatLng());
      stands.width ||= (face.lastElementChild as HTMLElement).offsetWidth;
      const { width } = stands;
      const top = mark.kind === "sos" ? at.y - DOT_PX / 2 - NAME_PX : at.y + DOT_PX / 2;
      const name = { left: at.x - width / 2, top, width, height: NAME_PX };
      const dot = { left: at.x - DOT_PX / 2, top: at.y - DOT_PX / 2, width: DOT_PX, height: DOT_PX };
      return { id: mark.id, name, dot, must: mark.chosen === true || mark.kind === "sos" };
    });
    const shown = readable(labels);
    for (const [id, { face }] of this.#marks) {
      const named = String(shown.has(id));
      if (face.dataset.named !== named) face.dataset.named = named;
    }
  }

  /** The names of the cells in sight that have room for it. */
  #nameCells(): void {
    this.#cellNames.clearLayers();
    const sight = this.#map.getBounds();
    const named: L.Marker[] = [];
    for (const { name, bounds } of this.#areas) {
      if (!sight.intersects(bounds)) continue;
      const wide = this.#map.latLngToContainerPoint(bounds.getNorthEast());
      const from = this.#map.latLngToContainerPoint(bounds.getSouthWest());
      if (wide.x - from.x < name.length * LETTER_PX) continue;
      const text = document.createElement("span");
      text.textContent = name;
      const icon = L.divIcon({ html: text, className: "cell-name", iconSize: [0, 0] });
      named.push(L.marker(bounds.getCenter(), { icon, interactive: false, keyboard: false }));
    }
    if (named.length <= CELL_NAMES_UP_TO) for (const each of named) each.addTo(this.#cellNames);
  }

  #shown(at: Degrees): L.LatLng {
    const { latitude, longitude } = this.#datum === "GCJ-02" ? inGcj02(at) : at;
    return L.latLng(latitude, longitude);
  }

  #corners(ring: Ring): L.LatLng[] {
    return ring.map(([longitude, latitude]) => this.#shown({ longitude, latitude }));
  }

  #under(event: PointerEvent): Point {
    const { lat, lng } = this.#map.mouseEventToLatLng(event);
    const { longitude, latitude } = inWgs84({ longitude: lng, latitude: lat }, this.#datum);
    return [longitude, latitude];
  }

  #pan = (event: KeyboardEvent): void => {
    const by = event.ctrlKey || event.metaKey || event.altKey ? undefined : PANS[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    this.#moved = true;
    this.#map.panBy(by);
  };

  #lineBegins = (event: PointerEvent): void => {
    // A second finger makes it a pinch.
    const draws = this.#draws && event.isPrimary && event.button === 0;
    this.#drawing = draws ? [this.#under(event)] : null;
    if (draws) this.#map.getContainer().setPointerCapture(event.pointerId);
    this.#line.setLatLngs([]);
  };

  #lineGoesOn = (event: PointerEvent): void => {
    if (!this.#drawing || !event.isPrimary) return;
    this.#drawing.push(this.#under(event));
    this.#line.setLatLngs(this.#corners(this.#drawing));
  };

  #lineEnds = (event: PointerEvent): void => {
    const line = this.#drawing;
    if (!line || !event.isPrimary) return;
    this.#lineIsLost();
    const points = this.#corners(line).map((each) => this.#map.latLngToContainerPoint(each));
    const far = points.some((each) => each.distanceTo(points[0] as L.Point) > LEAST_LINE_PX);
    if (far) this.#told.drawn?.(line);
  };

  #lineIsLost = (): void => {
    this.#drawing = null;
    this.#line.setLatLngs([]);
  };
}
