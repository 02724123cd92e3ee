// Enrolment links for everybody a search found, as one table to hand out: a city is not set up one person at a time.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import { momentWords } from "../../i18n/moments";
import { csv, save } from "../../ui/csv";
import type { Role } from "../../wire/protocol";
import { type List, load, type Row, type Wanted } from "./lists";
import { may, unitName, wordsOf } from "./office";
import { holdsOffice } from "./people";
import { Sure } from "./Sure";

type Link = { row: Row; path: string; expires_ms: number };

/** `total`: how many the search found. */
export function Links({ list, wanted, total }: { list: List; wanted: Wanted; total: number }) {
  const made = useSignal<number | null>(null);
  const word = useSignal("");
  /** Pressed, or the list was left: what is made by then is kept, and no more is made. */
  const stopped = useRef(false);
  const stop = () => {
    stopped.current = true;
  };
  useEffect(() => stop, []);
  const make = async () => {
    stopped.current = false;
    made.value = 0;
    word.value = "";
    const links: Link[] = [];
    try {
      for await (const row of found(list, wanted)) {
        if (stopped.current) break;
        links.push({ row, ...(await linkFor(row)) });
        made.value = links.length;
      }
      word.value = t("links_made", { count: links.length });
    } catch (problem) {
      word.value = `${t("links_made", { count: links.length })} ${wordsOf(problem)}`;
    }
    made.value = null;
    // What was made is good, whatever became of the others.
    if (links.length > 0) save(new Blob([tableOf(links)], { type: "text/csv" }), "links.csv");
  };
  return (
    <span class="links">
      {made.value === null ? (
        // Agreed to were those who were found then.
        <Sure
          key={JSON.stringify(wanted)}
          title={t("links_all", { count: total })}
          question={t("links_sure", { count: total })}
          run={make}
        />
      ) : (
        <>
          <span>{t("links_making", { made: made.value, total })}</span>
          <button type="button" onClick={stop}>
            {t("links_stop")}
          </button>
        </>
      )}
      <span role="status">{word.value}</span>
    </span>
  );
}

/** Everybody who was found, may enrol, and is this administrator's to let in. */
async function* found(list: List, wanted: Wanted): AsyncGenerator<Row> {
  let after = "";
  do {
    const page = await load(list, wanted, after);
    for (const row of page.rows)
      if (row.enabled && may(holdsOffice(row.roles as Role[]) ? "roles" : "people")) yield row;
    after = page.next;
  } while (after);
}

function linkFor(row: Row): Promise<{ path: string; expires_ms: number }> {
  return authorised("POST", `/people/${row.id}/enrolments`, {});
}

export function tableOf(links: readonly Link[]): string {
  const head = [t("admin_name"), t("admin_badge"), t("admin_unit"), t("admin_invite"), t("links_until")];
  const lines = links.map(({ row, path, expires_ms }) => [
    String(row.name),
    String(row.badge ?? ""),
    unitName(row.unit),
    `${location.origin}${path}`,
    momentWords(expires_ms),
  ]);
  return csv([head, ...lines]);
}
