// One list: found by search, gone on with by "more", a row opened or acted on.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";
import { CellMap } from "./cells";
import { Links } from "./links";
import { type List, load, loadAll, type Page, type Row, type RowAct, type Wanted } from "./lists";
import { may, wordsOf } from "./office";
import { Sure } from "./Sure";

const PAUSE_MS = 250;

/** `turn`: counted up when something of this list was changed elsewhere on the page. */
export function Table({
  list,
  turn,
  open,
}: {
  list: List;
  turn: Signal<number>;
  open: (id: string | null) => void;
}) {
  const wanted = useSignal<Wanted>({});
  const page = useSignal<Page>({ rows: [], next: "", total: 0 });
  const word = useSignal("");
  const loaded = useSignal(false);
  const searched = useRef(wanted.value);
  const read = async () => {
    const asked = wanted.peek();
    // What was found otherwise is not gone on with; what one went through is not folded up again.
    const least = asked === searched.current ? page.peek().rows.length : 0;
    try {
      const found = await loadAll(list, asked, least);
      if (asked !== wanted.peek()) return;
      searched.current = asked;
      page.value = found;
      loaded.value = true;
    } catch (problem) {
      word.value = wordsOf(problem);
    }
  };
  const more = async () => {
    const before = page.peek();
    try {
      const found = await load(list, searched.current, before.next);
      if (page.peek() === before) page.value = { ...found, rows: [...before.rows, ...found.rows] };
    } catch (problem) {
      word.value = wordsOf(problem);
    }
  };
  useEffect(() => {
    const timer = window.setTimeout(() => void read(), loaded.peek() ? PAUSE_MS : 0);
    return () => clearTimeout(timer);
  }, [wanted.value, turn.value]);
  const act = async (one: RowAct, row: Row) => {
    try {
      await one.run(row);
      word.value = "";
      await read();
    } catch (problem) {
      word.value = wordsOf(problem);
    }
  };
  const want = (name: string, value: string) => {
    wanted.value = { ...wanted.value, [name]: value };
  };
  const create = list.panel?.create;
  const { rows, next, total } = page.value;
  const acts = list.acts.filter((one) => one.offered?.() ?? true);
  return (
    <>
      <div class="tools">
        {list.search && (
          <input
            type="search"
            placeholder={t(list.search)}
            aria-label={t(list.search)}
            value={wanted.value.q ?? ""}
            onInput={(event) => want("q", event.currentTarget.value)}
          />
        )}
        {list.filters?.map(({ name, title, all, options }) => (
          <select
            key={name}
            class="narrowed"
            name={name}
            aria-label={t(title)}
            value={wanted.value[name] ?? ""}
            onChange={(event) => want(name, event.currentTarget.value)}
          >
            <option value="">{t(all)}</option>
            {options().map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        ))}
        {create && may(create.right) && (
          <button type="button" class="primary new" onClick={() => open(null)}>
            {t(create.title)}
          </button>
        )}
        {list.name === "people" && total > 0 && may("people") && (
          <Links list={list} wanted={searched.current} total={total} />
        )}
      </div>
      <p class="word" role="status">
        {word.value}
      </p>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              {list.columns.map(({ title }) => (
                <th key={title}>{t(title)}</th>
              ))}
              {acts.length > 0 && (
                <th>
                  <span class="visually-hidden">{t("admin_acts")}</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={String(row.id)} data-off={row.enabled === false}>
                {list.columns.map(({ title, show, wide = false }, at) => (
                  <td key={title} data-title={t(title)} data-wide={wide}>
                    {at === 0 && list.panel ? (
                      <button type="button" class="open" onClick={() => open(String(row.id))}>
                        {show(row)}
                      </button>
                    ) : (
                      show(row)
                    )}
                  </td>
                ))}
                {acts.length > 0 && (
                  <td class="acts">
                    {acts
                      .filter((one) => one.fits?.(row) ?? true)
                      .map((one) =>
                        one.question?.(row) ? (
                          <Sure
                            key={one.title(row)}
                            title={one.title(row)}
                            question={one.question(row)}
                            run={() => act(one, row)}
                          />
                        ) : (
                          <button key={one.title(row)} type="button" onClick={() => void act(one, row)}>
                            {one.title(row)}
                          </button>
                        ),
                      )}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
        {!loaded.value && !word.value && <p class="hint">{t("loading")}</p>}
        {loaded.value && rows.length === 0 && <p class="hint">{t("admin_none")}</p>}
      </div>
      {list.name === "cells" && <CellMap cells={rows as unknown as Parameters<typeof CellMap>[0]["cells"]} />}
      {next && (
        <p class="row">
          <button type="button" class="more" onClick={() => void more()}>
            {t("admin_more")}
          </button>
          <span class="soft">{t("admin_shown", { shown: rows.length, total })}</span>
        </p>
      )}
    </>
  );
}
