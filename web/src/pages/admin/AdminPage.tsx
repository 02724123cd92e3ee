// Administration: one table, many lists. A change is asked of the server and the list read again.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { current } from "../../account/account";
import { Problem } from "../../account/api";
import { authorised } from "../../account/authorised";
import { refusalWords, t } from "../../i18n";
import { TopBar } from "../../ui/TopBar";
import { LISTS, type List, load, type RowAct } from "./lists";

const PAUSE_MS = 250;

export function AdminPage() {
  const user = current();
  const rights = useSignal<readonly string[]>([]);
  const chosen = useSignal<string>("people");
  useEffect(() => {
    void authorised<{ rights: string[] }>("GET", "/me").then(
      (me) => {
        rights.value = me.rights;
      },
      () => undefined,
    );
  }, [rights]);
  const offered = LISTS.filter((list) => list.rights.some((right) => rights.value.includes(right)));
  const list = offered.find(({ name }) => name === chosen.value) ?? offered[0];
  return (
    <div class="admin">
      <TopBar name={`${t("admin")} · ${user?.name ?? ""}`} badge={user?.badge} />
      <nav aria-label={t("admin")}>
        {offered.map(({ name, title }) => (
          <button
            key={name}
            type="button"
            aria-current={list?.name === name}
            onClick={() => {
              chosen.value = name;
            }}
          >
            {t(title)}
          </button>
        ))}
      </nav>
      <main>{list && <Table key={list.name} list={list} />}</main>
    </div>
  );
}

function Table({ list }: { list: List }) {
  const q = useSignal("");
  const rows = useSignal<Awaited<ReturnType<typeof load>>["rows"]>([]);
  const next = useSignal("");
  const word = useSignal("");
  const read = async (after = "") => {
    try {
      const found = await load(list, q.peek().trim(), after);
      rows.value = after ? [...rows.peek(), ...found.rows] : found.rows;
      next.value = found.next;
    } catch (problem) {
      word.value = refusalWords(problem instanceof Problem ? problem.code : "unreachable");
    }
  };
  useEffect(() => {
    const timer = window.setTimeout(() => void read(), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [q.value]);
  const act = async (one: RowAct, row: (typeof rows.value)[number]) => {
    try {
      word.value = (await one.run(row)) ?? "";
      await read();
    } catch (problem) {
      word.value = refusalWords(problem instanceof Problem ? problem.code : "unreachable");
    }
  };
  return (
    <>
      {list.search && (
        <input
          type="search"
          placeholder={t("admin_search")}
          aria-label={t("admin_search")}
          value={q.value}
          onInput={(event) => {
            q.value = event.currentTarget.value;
          }}
        />
      )}
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
              {list.acts.length > 0 && <th />}
            </tr>
          </thead>
          <tbody>
            {rows.value.map((row) => (
              <tr key={String(row.id ?? row.seq)}>
                {list.columns.map(({ title, show }) => (
                  <td key={title}>{show(row)}</td>
                ))}
                {list.acts.length > 0 && (
                  <td class="acts">
                    {list.acts.map((one) => (
                      <button key={one.title(row)} type="button" onClick={() => void act(one, row)}>
                        {one.title(row)}
                      </button>
                    ))}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {next.value && (
        <button type="button" onClick={() => void read(next.value)}>
          {t("admin_more")}
        </button>
      )}
    </>
  );
}
