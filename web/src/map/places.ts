// Where people were last, and the grid cells of the city: asked of the server while a map is shown. No tiles, no other network.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../account/authorised";
import { type Datum, inWgs84 } from "./datum";
import type { Degrees } from "./degrees";
import { inside, type Point } from "./ring";
import { PlaceNews, type Told } from "./told";

/** `at`: where it is drawn, in WGS-84; `position`: as it was reported. */
export type Place = Told & { at: Degrees };

/** `outline`: in WGS-84. */
export type Cell = { code: string; name: string; outline: readonly Point[] };

type CellOut = Cell & { datum: Datum };

const ASK_EVERY_MS = 8000;
const CELLS_PAGE = 100;
const CELLS_MOST = 2000;

export const places = signal<readonly Place[]>([]);
export const cells = signal<readonly Cell[]>([]);

/** Those whose last place is in the ring. */
export function seenInside(found: readonly Place[], ring: readonly Point[]): Place[] {
  return found.filter(({ at }) => inside(ring, [at.longitude, at.latitude]));
}

/** Keeps `places` fresh while the component is shown; the cells are asked for once. */
export function usePlaces(): void {
  useEffect(() => {
    const news = new PlaceNews();
    void askPlaces(news);
    if (cells.peek().length === 0) void askCells();
    const timer = window.setInterval(() => void askPlaces(news), ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}

async function askPlaces(news: PlaceNews): Promise<void> {
  if (document.hidden) return;
  try {
    const found = await news.ask();
    places.value = found.map((told) => ({ ...told, at: inWgs84(told.position, told.position.datum) }));
  } catch {
    // What was known stays and grows older, as the map shows.
  }
}

function drawn({ code, name, outline, datum }: CellOut): Cell {
  return {
    code,
    name,
    outline: outline.map(([longitude, latitude]) => {
      const at = inWgs84({ longitude, latitude }, datum);
      return [at.longitude, at.latitude];
    }),
  };
}

async function askCells(): Promise<void> {
  const found: Cell[] = [];
  let after = "";
  do {
    const query = new URLSearchParams({ limit: String(CELLS_PAGE), ...(after ? { after } : {}) });
    try {
      const page = await authorised<{ items: CellOut[]; next: string | null }>("GET", `/cells?${query}`);
      found.push(...page.items.filter(({ outline }) => outline.length > 2).map(drawn));
      after = page.next ?? "";
    } catch {
      after = "";
    }
  } while (after && found.length < CELLS_MOST);
  cells.value = found;
}
