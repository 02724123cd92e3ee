// Tables in and out: a dry run first, then the same file for good.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { authorised, file } from "../../account/authorised";
import { refusalWords, t } from "../../i18n";
import type { Key } from "../../i18n/zh";
import { save as saveFile } from "../../ui/csv";
import type { Refusal } from "../../wire/protocol";
import { may, readUnits, wordsOf } from "./office";

type Line = { line: number; verb: "create" | "update"; differences: Record<string, [string, string]> };
type Mistake = { line: number; column: string; problem: string; value: string };
type Plan = {
  applied: boolean;
  written: number;
  stopped: Refusal | null;
  create: number;
  update: number;
  unchanged: number;
  wrong: number;
  changes: Line[];
  mistakes: Mistake[];
};

const KINDS: readonly (readonly [kind: string, title: Key, ...rights: string[]])[] = [
  ["people", "console_people", "people"],
  ["units", "admin_units", "units"],
  ["groups", "groups", "groups"],
  ["members", "admin_members", "groups"],
  ["devices", "admin_devices", "devices", "disable"],
  ["cells", "admin_cells", "units"],
  ["duty", "admin_duty", "people"],
  ["roles", "admin_roles", "roles"],
];
const PROBLEMS: Record<string, Key> = {
  missing: "mistake_missing",
  unknown: "mistake_unknown",
  taken: "mistake_taken",
  bad_value: "mistake_bad_value",
  not_allowed: "mistake_not_allowed",
  ambiguous: "mistake_ambiguous",
  repeated: "mistake_repeated",
};

export function Sheets() {
  const kinds = KINDS.filter(([, , ...rights]) => may(...rights));
  const kind = useSignal(kinds[0]?.[0] ?? "people");
  const chosen = useSignal<File | null>(null);
  const plan = useSignal<Plan | null>(null);
  const word = useSignal("");
  const busy = useSignal(false);
  const send = async (dry: boolean) => {
    if (!chosen.value) return;
    busy.value = true;
    word.value = "";
    try {
      const body = new Blob([chosen.value], { type: "text/csv" });
      plan.value = await authorised<Plan>("POST", `/sheets/${kind.value}?dry_run=${dry}`, body);
      if (plan.value.written > 0) await readUnits();
    } catch (problem) {
      plan.value = null;
      word.value = wordsOf(problem);
    }
    busy.value = false;
  };
  const save = async () => {
    try {
      saveFile(await file(`/sheets/${kind.value}`), `${kind.value}.csv`);
    } catch (problem) {
      word.value = wordsOf(problem);
    }
  };
  const found = plan.value;
  return (
    <div class="sheets">
      <p class="hint">{t("admin_sheets_hint")}</p>
      <div class="tools">
        <label>
          {t("admin_sheet")}
          <select
            name="sheet"
            value={kind.value}
            disabled={busy.value}
            onChange={(event) => {
              kind.value = event.currentTarget.value;
              plan.value = null;
            }}
          >
            {kinds.map(([each, title]) => (
              <option key={each} value={each}>
                {t(title)}
              </option>
            ))}
          </select>
        </label>
        <label class="file">
          {t("admin_file")}
          <span class="chosen">{chosen.value?.name ?? t("admin_file_choose")}</span>
          <input
            type="file"
            accept=".csv,text/csv"
            disabled={busy.value}
            onChange={(event) => {
              chosen.value = event.currentTarget.files?.[0] ?? null;
              plan.value = null;
            }}
          />
        </label>
      </div>
      <p class="row">
        <button type="button" disabled={!chosen.value || busy.value} onClick={() => void send(true)}>
          {t("admin_try")}
        </button>
        <button
          type="button"
          class="primary"
          disabled={!found || found.wrong > 0 || found.applied || busy.value}
          onClick={() => void send(false)}
        >
          {t("admin_apply")}
        </button>
        <button type="button" onClick={() => void save()}>
          {t("admin_export")}
        </button>
      </p>
      <p class="word" role="status">
        {found ? said(found) : word.value}
      </p>
      {found && found.mistakes.length > 0 && <Mistakes of={found.mistakes} />}
      {found?.wrong === 0 && found.changes.length > 0 && <Changes of={found.changes} />}
      {found && <Untold of={found} />}
    </div>
  );
}

function Mistakes({ of }: { of: readonly Mistake[] }) {
  return (
    <Told titles={["admin_line", "admin_column", "admin_value", "admin_problem"]}>
      {of.map((each) => (
        <tr key={`${each.line}/${each.column}`}>
          <td data-title={t("admin_line")}>{each.line}</td>
          <td data-title={t("admin_column")}>{each.column}</td>
          <td data-title={t("admin_value")}>{each.value}</td>
          <td data-title={t("admin_problem")}>{t(PROBLEMS[each.problem] ?? "mistake_bad_value")}</td>
        </tr>
      ))}
    </Told>
  );
}

/** The server tells the first two hundred; of the others, how many they are. */
function Untold({ of: { create, update, wrong, changes, mistakes } }: { of: Plan }) {
  const [total, shown] = wrong > 0 ? [wrong, mistakes.length] : [create + update, changes.length];
  return total > shown ? <p class="soft">{t("admin_shown", { shown, total })}</p> : null;
}

/** What each line does, column by column. */
function Changes({ of }: { of: readonly Line[] }) {
  return (
    <Told titles={["admin_line", "admin_change", "admin_differences"]}>
      {of.map(({ line, verb, differences }) => (
        <tr key={line} data-verb={verb}>
          <td data-title={t("admin_line")}>{line}</td>
          <td data-title={t("admin_change")}>{t(verb === "create" ? "sheet_create" : "sheet_update")}</td>
          <td data-title={t("admin_differences")} data-wide="true">
            <ul class="differences">
              {Object.entries(differences)
                .filter(([, [, after]]) => verb === "update" || after)
                .map(([column, [before, after]]) => (
                  <li key={column}>
                    <span class="soft">{column}</span> {verb === "update" && <del>{before || "—"}</del>}{" "}
                    <ins>{after || "—"}</ins>
                  </li>
                ))}
            </ul>
          </td>
        </tr>
      ))}
    </Told>
  );
}

function Told({ titles, children }: { titles: readonly Key[]; children: ComponentChildren }) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {titles.map((title) => (
              <th key={title}>{t(title)}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function said({ applied, create, update, unchanged, wrong, written, stopped }: Plan): string {
  if (stopped) return t("admin_stopped", { written, lines: create + update, why: refusalWords(stopped) });
  return t(applied ? "admin_applied" : "admin_plan", { create, update, unchanged, wrong });
}
