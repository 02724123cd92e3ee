// How long what belongs to one group or case stays, where the city's own terms do not fit it.

import { useSignal } from "@preact/signals";
import { MAX_DAYS_KEPT } from "../../../generated/limits.json";
import { t } from "../../../i18n";
import { Sure } from "../Sure";
import { type Ask, KINDS, type Kind, named, type Target, TargetField, whenWhom } from "./kept";

export type Rule = {
  kind: Kind;
  target: string;
  target_name: string;
  days: number | null;
  set_by_name: string;
  set_ms: number;
  version: number;
};

const RULED: readonly Kind[] = ["group", "incident"];

export const daysWords = (days: number | null) =>
  days === null ? t("keep_for_ever") : t("keep_days", { count: days });

const pathOf = ({ kind, target }: { kind: Kind; target: string }) =>
  `/retention/rules/${kind}/${encodeURIComponent(target)}`;

export function RuleCard({ rule, least, ask }: { rule: Rule; least: number; ask: Ask }) {
  const editing = useSignal(false);
  const seen = { "if-match": `"${rule.version}"` };
  return (
    <>
      <h3>{named(rule)}</h3>
      <p>
        {t(KINDS[rule.kind])} · <strong>{daysWords(rule.days)}</strong>
      </p>
      <p class="soft">{whenWhom(rule.set_ms, rule.set_by_name)}</p>
      {editing.value ? (
        <DaysForm
          days={rule.days}
          least={least}
          submit={async (days) => {
            if (await ask("PUT", pathOf(rule), { days }, seen)) editing.value = false;
          }}
          back={() => {
            editing.value = false;
          }}
        />
      ) : (
        <div class="row">
          <button
            type="button"
            onClick={() => {
              editing.value = true;
            }}
          >
            {t("keep_change")}
          </button>
          <Sure title={t("keep_default")} run={() => ask("DELETE", pathOf(rule), undefined, seen)} />
        </div>
      )}
    </>
  );
}

type DaysProps = {
  days: number | null;
  least: number;
  submit: (days: number | null) => Promise<unknown>;
  back?: () => void;
  /** Nothing is chosen yet that it is to hold for. */
  idle?: boolean;
};

function DaysForm({ days, least, submit, back, idle = false }: DaysProps) {
  const count = useSignal(String(days ?? least));
  const ever = useSignal(days === null);
  return (
    <form
      class="fields"
      onSubmit={(event) => {
        event.preventDefault();
        void submit(ever.value ? null : Number(count.value));
      }}
    >
      <label>
        {t("keep_days_field", { least })}
        <input
          name="days"
          type="number"
          min={least}
          max={MAX_DAYS_KEPT}
          required
          disabled={ever.value}
          value={count.value}
          onInput={(event) => {
            count.value = event.currentTarget.value;
          }}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={ever.value}
          onChange={(event) => {
            ever.value = event.currentTarget.checked;
          }}
        />
        {t("keep_for_ever")}
      </label>
      <div class="row">
        <button type="submit" class="primary" disabled={idle}>
          {t("admin_save")}
        </button>
        {back && (
          <button type="button" onClick={back}>
            {t("admin_back")}
          </button>
        )}
      </div>
    </form>
  );
}

export function NewRule({ least, known, ask }: { least: number; known: readonly Rule[]; ask: Ask }) {
  const target = useSignal<Target>({ kind: "group", found: null });
  const turn = useSignal(0);
  const there = known.some(
    ({ kind, target: of }) => kind === target.value.kind && of === target.value.found?.id,
  );
  return (
    <details>
      <summary>{t("keep_new_rule")}</summary>
      <div class="fields">
        <TargetField
          id="rule-target"
          kinds={RULED}
          value={target.value}
          set={(to) => {
            target.value = to;
          }}
        />
        {there && <p class="wrong">{t("keep_ruled_already")}</p>}
        <DaysForm
          key={turn.value}
          days={least}
          least={least}
          idle={target.value.found === null || there}
          submit={async (days) => {
            const { kind, found } = target.value;
            if (found === null || !(await ask("PUT", pathOf({ kind, target: found.id }), { days }))) return;
            target.value = { kind, found: null };
            turn.value += 1;
          }}
        />
      </div>
    </details>
  );
}
