// The console's incidents: a list, urgent ones first, and what is known of the one that is opened.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ConsoleDesk } from "../../console/desk";
import { refusalWords, t } from "../../i18n";
import { Lamp } from "../Lamp";
import { type Case, isBarred, LISTED, listed, type Which } from "./cases";
import { IncidentDetail } from "./IncidentDetail";
import { stateKey, Tags, wordsOf } from "./words";
import "./desk.css";

const QUIET_MS = 250;
const WHICH: readonly Which[] = ["live", "over"];

export function IncidentPanel({ desk }: { desk: ConsoleDesk }) {
  const which = useSignal<Which>("live");
  const search = useSignal("");
  const list = useSignal<readonly Case[] | null>(null);
  const problem = useSignal("");
  const open = useSignal<string | null>(null);
  const { turn } = desk.phone.incidents.value;
  const barred = isBarred(desk.phone.picture.value.rights);
  useEffect(() => {
    if (barred) return;
    let stale = false;
    const read = async () => {
      try {
        const found = await listed(which.value, search.value.trim());
        if (!stale) [list.value, problem.value] = [found, ""];
      } catch (refused) {
        if (!stale) problem.value = wordsOf(refused);
      }
    };
    const timer = setTimeout(() => void read(), list.value === null ? 0 : QUIET_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [barred, turn, which.value, search.value]);
  if (open.value !== null) {
    return (
      <IncidentDetail
        key={open.value}
        desk={desk}
        code={open.value}
        turn={turn}
        close={() => {
          open.value = null;
        }}
      />
    );
  }
  if (barred) return <p class="problem">{refusalWords("not_allowed")}</p>;
  return (
    <div class="cases">
      <div class="cases-tools">
        <input
          type="search"
          placeholder={t("cases_search")}
          aria-label={t("cases_search")}
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
        {WHICH.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={which.value === name}
            onClick={() => {
              which.value = name;
            }}
          >
            {t(`cases_${name}`)}
          </button>
        ))}
      </div>
      {problem.value && <p class="problem">{problem.value}</p>}
      {list.value === null && !problem.value && <p class="none">{t("loading")}</p>}
      {list.value?.length === 0 && <p class="none">{t("cases_none")}</p>}
      <ul>
        {list.value?.map((found) => (
          <Row
            key={found.code}
            found={found}
            show={() => {
              open.value = found.code;
            }}
          />
        ))}
      </ul>
      {list.value?.length === LISTED && <p class="none">{t("cases_more", { count: LISTED })}</p>}
    </div>
  );
}

function Row({ found, show }: { found: Case; show: () => void }) {
  return (
    <li data-code={found.code} data-urgent={found.facts.urgent} data-address={found.address}>
      <button type="button" class="case" onClick={show}>
        <Lamp lamp={found.lamp} />
        <span class="name">
          <Tags found={found} />
          {found.facts.name}
        </span>
        <span class="detail">{found.facts.address || found.code}</span>
        <span class="counts">
          {t("cases_counts", { members: found.members.length, listening: found.listening })}
        </span>
        <span class="state">{t(stateKey(found))}</span>
      </button>
    </li>
  );
}
