// The map of the city in a page. Leaflet comes with the first map that is shown: a page that is only talked on does not load it.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import "./map.css";
import type { Mark } from "./marks";
import type { Cell } from "./places";
import type { Ring, Sheet, Told } from "./sheet";
import { tiles } from "./tiles";

type CityMapProps = Told & {
  label: string;
  marks: readonly Mark[];
  cells: readonly Cell[];
  area?: Ring | null;
  /** A finger that drags draws a line; a key takes all that is shown. */
  draws?: boolean;
  children?: ComponentChildren;
};

export function CityMap({ label, marks, cells, area, draws, children, ...told }: CityMapProps) {
  const box = useRef<HTMLDivElement>(null);
  const sheet = useSignal<Sheet | null>(null);
  const failed = useSignal(false);
  const turn = useSignal(0);
  const newest = useRef(told);
  newest.current = told;
  const acts = told.chosen !== undefined;
  useEffect(() => {
    let gone = false;
    failed.value = false;
    Promise.all([import("./sheet"), tiles()])
      .then(([drawn, ground]) => {
        if (gone || !box.current) return;
        sheet.value = new drawn.Sheet(box.current, ground, {
          ...(acts ? { chosen: (id: string) => newest.current.chosen?.(id) } : {}),
          drawn: (line) => newest.current.drawn?.(line),
        });
      })
      .catch(() => {
        if (!gone) failed.value = true;
      });
    return () => {
      gone = true;
      sheet.peek()?.remove();
      sheet.value = null;
    };
  }, [sheet, acts, turn.value, failed]);
  const there = sheet.value;
  useEffect(() => there?.cells(cells), [there, cells]);
  useEffect(() => there?.marks(marks), [there, marks]);
  useEffect(() => there?.area(area ?? null), [there, area]);
  useEffect(() => there?.drawing(draws ?? false), [there, draws]);
  return (
    <div class="city-map">
      {/* biome-ignore lint/a11y/useSemanticElements: a map is no form, but has parts to go through */}
      <div class="drawing" ref={box} role="group" aria-label={label} />
      <div class="zoom">
        <button type="button" disabled={!there} aria-label={t("map_nearer")} onClick={() => there?.nearer()}>
          ＋
        </button>
        <button
          type="button"
          disabled={!there}
          aria-label={t("map_farther")}
          onClick={() => there?.farther()}
        >
          －
        </button>
        <button type="button" disabled={!there} onClick={() => there?.whole()}>
          {t("map_all")}
        </button>
        {draws && (
          <button
            type="button"
            disabled={!there}
            aria-label={t("map_take_sight")}
            title={t("map_take_sight")}
            onClick={() => there && told.drawn?.(there.inSight())}
          >
            {t("map_sight")}
          </button>
        )}
      </div>
      {failed.value ? (
        <p class="none failed" role="alert">
          {t("map_failed")}
          <button type="button" onClick={() => turn.value++}>
            {t("retry")}
          </button>
        </p>
      ) : there ? (
        children
      ) : (
        <p class="none" role="status">
          {t("loading")}
        </p>
      )}
    </div>
  );
}
