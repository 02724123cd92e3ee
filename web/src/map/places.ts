// Where people were last, and the grid cells of the city: asked of the server while a map is shown. No tiles, no other network.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../account/authorised";

export type Position = {
  source: "device" | "shell" | "operator" | "none";
  at_ms: number;
  longitude: number;
  latitude: number;
  accuracy_m: number | null;
  datum: "WGS-84" | "GCJ-02" | "CGCS2000";
};

/** `seen_ms`: when the place was measured, on this page's clock. */
export type Place = {
  user: string;
  name: string;
  seen_ms: number;
  position: Position;
  battery: number | null;
  heading: number | null;
};

export type Cell = { code: string; name: string; outline: [number, number][] };

type PlaceOut = {
  user: string;
  name: string;
  age_ms: number;
  position: Position | null;
  battery: { percent: number } | null;
  motion: { heading_deg: number | null; speed_mps: number | null } | null;
};

const ASK_EVERY_MS = 8000;
const CELLS_PAGE = 100;
const CELLS_MOST = 2000;

export const places = signal<readonly Place[]>([]);
export const cells = signal<readonly Cell[]>([]);

/** Keeps `places` fresh while the component is shown; the cells are asked for once. */
export function usePlaces(): void {
  useEffect(() => {
    void askPlaces();
    if (cells.peek().length === 0) void askCells();
    const timer = window.setInterval(() => void askPlaces(), ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}

async function askPlaces(): Promise<void> {
  if (document.hidden) return;
  try {
    const found = await authorised<PlaceOut[]>("GET", "/places");
    const now = Date.now();
    places.value = found.flatMap(({ user, name, age_ms, position, battery, motion }) =>
      position
        ? [
            {
              user,
              name,
              seen_ms: now - age_ms,
              position,
              battery: battery?.percent ?? null,
              heading: motion?.speed_mps ? motion.heading_deg : null,
            },
          ]
        : [],
    );
  } catch {
    // What was known stays and grows older, as the map shows.
  }
}

async function askCells(): Promise<void> {
  const found: Cell[] = [];
  let after = "";
  do {
    const query = new URLSearchParams({ limit: String(CELLS_PAGE), ...(after ? { after } : {}) });
    try {
      const page = await authorised<{ items: Cell[]; next: string | null }>("GET", `/cells?${query}`);
      found.push(...page.items.filter(({ outline }) => outline.length > 2));
      after = page.next ?? "";
    } catch {
      after = "";
    }
  } while (after && found.length < CELLS_MOST);
  cells.value = found;
}
