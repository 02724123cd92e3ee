// How long voice, photos and notes stay, what a legal hold keeps, and deletion on request.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem } from "../../account/api";
import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import type { Key } from "../../i18n/zh";
import { Chips, Finder, type Found } from "./Finder";
import { momentWords } from "./moments";
import { wordsOf } from "./office";
import { Sure } from "./Sure";

type Kind = "group" | "incident" | "user" | "recording";
type Terms = { days: number; incident_days: number | null; least_days: number };
type Rule = {
  kind: Kind;
  target: string;
  target_name: string;
  days: number | null;
  set_by_name: string;
  set_ms: number;
  version: number;
};
type Hold = {
  id: string;
  kind: Kind;
  target: string;
  target_name: string;
  from_ms: number | null;
  until_ms: number | null;
  reason: string;
  begun_by_name: string;
  begun_ms: number;
};

const KINDS: Readonly<Record<Kind, Key>> = {
  group: "keep_group",
  incident: "keep_incident",
  user: "keep_user",
  recording: "keep_recording",
};
const RULED: readonly Kind[] = ["group", "incident"];
const HELD: readonly Kind[] = ["group", "incident", "user", "recording"];
const MOST_DAYS = 36_500;
const MOST_REASON = 500;

/** Does what is asked; whether it was done. Why not is said above the lists. */
type Ask = (method: string, path: string, body?: unknown, headers?: HeadersInit) => Promise<boolean>;

const daysWords = (days: number | null) =>
  days === null ? t("keep_for_ever") : t("keep_days", { count: days });
const named = ({ target, target_name }: Rule | Hold) =>
  target_name ? (
    <>
      {target_name} <span class="soft">{target}</span>
    </>
  ) : (
    target
  );

export function Retention() {
  const terms = useSignal<Terms | null>(null);
  const rules = useSignal<readonly Rule[]>([]);
  const holds = useSignal<readonly Hold[]>([]);
  const word = useSignal("");
  const read = async () => {
    [terms.value, rules.value, holds.value] = await Promise.all([
      authorised<Terms>("GET", "/retention/terms"),
      authorised<Rule[]>("GET", "/retention/rules"),
      authorised<Hold[]>("GET", "/retention/holds"),
    ]);
  };
  const ask: Ask = async (method, path, body, headers) => {
    let done = false;
    try {
      await authorised(method, path, body, headers);
      word.value = "";
      done = true;
    } catch (problem) {
      word.value = wordsOf(problem);
    }
    // Also when another was quicker: what he did is seen before it is changed again.
    await read().catch((problem) => (word.value = wordsOf(problem)));
    return done;
  };
  useEffect(() => void read().catch((problem) => (word.value = wordsOf(problem))), []);
  if (!terms.value) return <p class="word">{word.value}</p>;
  const { days, incident_days, least_days } = terms.value;
  return (
    <div class="keeping">
      <p class="hint">{t("keep_hint", { days: daysWords(days), incident: daysWords(incident_days) })}</p>
      <p class="word" role="status">
        {word.value}
      </p>
      <div class="sides">
        <section>
          <h2>{t("keep_rules")}</h2>
          {rules.value.length === 0 && <p class="hint">{t("keep_no_rules")}</p>}
          <ul class="cards">
            {rules.value.map((rule) => (
              <li key={`${rule.kind}/${rule.target}`}>
                <RuleCard rule={rule} least={least_days} ask={ask} />
              </li>
            ))}
          </ul>
          <NewRule least={least_days} known={rules.value} ask={ask} />
        </section>
        <section>
          <h2>{t("keep_holds")}</h2>
          {holds.value.length === 0 && <p class="hint">{t("keep_no_holds")}</p>}
          <ul class="cards">
            {holds.value.map((hold) => (
              <li key={hold.id}>
                <HoldCard hold={hold} ask={ask} />
              </li>
            ))}
          </ul>
          <NewHold ask={ask} />
        </section>
        <Deletion />
      </div>
    </div>
  );
}

const pathOf = ({ kind, target }: { kind: Kind; target: string }) =>
  `/retention/rules/${kind}/${encodeURIComponent(target)}`;

function RuleCard({ rule, least, ask }: { rule: Rule; least: number; ask: Ask }) {
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
          max={MOST_DAYS}
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

type Target = { kind: Kind; found: Found | null };

/** What a rule or hold speaks of: a group or person that is looked for, a case or recording by its number. */
function TargetField(props: {
  kinds: readonly Kind[];
  value: Target;
  set: (to: Target) => void;
  id: string;
}) {
  const { kinds, value, set, id } = props;
  const looked = value.kind === "group" ? "/groups" : value.kind === "user" ? "/people" : null;
  return (
    <>
      <label>
        {t("keep_what")}
        <select
          value={value.kind}
          onChange={(event) => set({ kind: event.currentTarget.value as Kind, found: null })}
        >
          {kinds.map((kind) => (
            <option key={kind} value={kind}>
              {t(KINDS[kind])}
            </option>
          ))}
        </select>
      </label>
      <div class="field">
        <label for={id}>{t(looked ? "keep_which" : "keep_number")}</label>
        {looked === null ? (
          <input
            id={id}
            required
            maxLength={128}
            autocomplete="off"
            value={value.found?.id ?? ""}
            onInput={({ currentTarget: { value: typed } }) =>
              set({ ...value, found: typed.trim() ? { id: typed.trim(), name: typed.trim() } : null })
            }
          />
        ) : value.found ? (
          <Chips of={[value.found]} remove={() => set({ ...value, found: null })} />
        ) : (
          <Finder
            key={looked}
            id={id}
            path={looked}
            words={looked === "/groups" ? "admin_search_groups" : "admin_search"}
            inside={[]}
            choose={(found) => set({ ...value, found })}
          />
        )}
      </div>
    </>
  );
}

function NewRule({ least, known, ask }: { least: number; known: readonly Rule[]; ask: Ask }) {
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

function HoldCard({ hold, ask }: { hold: Hold; ask: Ask }) {
  const why = useSignal<string | null>(null);
  const { from_ms, until_ms } = hold;
  return (
    <>
      <h3>{named(hold)}</h3>
      <p>
        {t(KINDS[hold.kind])}
        {(from_ms !== null || until_ms !== null) && (
          <>
            {" · "}
            {t("keep_span", {
              from: from_ms === null ? "…" : momentWords(from_ms),
              until: until_ms === null ? "…" : momentWords(until_ms),
            })}
          </>
        )}
      </p>
      <p>{hold.reason}</p>
      <p class="soft">{whenWhom(hold.begun_ms, hold.begun_by_name)}</p>
      {why.value === null ? (
        <div class="row">
          <button
            type="button"
            onClick={() => {
              why.value = "";
            }}
          >
            {t("keep_release")}
          </button>
        </div>
      ) : (
        <form
          class="fields"
          onSubmit={(event) => {
            event.preventDefault();
            void ask("POST", `/retention/holds/${hold.id}/release`, { reason: why.value?.trim() });
          }}
        >
          <Reason value={why.value} set={(to) => (why.value = to)} words="keep_release_why" />
          <div class="row">
            <button type="submit" class="red" disabled={!why.value.trim()}>
              {t("keep_release")}
            </button>
            <button
              type="button"
              onClick={() => {
                why.value = null;
              }}
            >
              {t("admin_back")}
            </button>
          </div>
        </form>
      )}
    </>
  );
}

function Reason({ value, set, words }: { value: string; set: (to: string) => void; words: Key }) {
  return (
    <label>
      {t(words)}
      <input
        name="reason"
        required
        maxLength={MOST_REASON}
        autocomplete="off"
        value={value}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
}

function NewHold({ ask }: { ask: Ask }) {
  const target = useSignal<Target>({ kind: "incident", found: null });
  const reason = useSignal("");
  const from = useSignal("");
  const until = useSignal("");
  const ms = (moment: string) => (moment ? new Date(moment).getTime() : null);
  const submit = async () => {
    const { kind, found } = target.value;
    if (found === null) return;
    const span = { from_ms: ms(from.value), until_ms: ms(until.value) };
    const hold = { kind, target: found.id, reason: reason.value.trim(), ...span };
    if (!(await ask("POST", "/retention/holds", hold))) return; // what was entered stays, to be put right
    target.value = { kind, found: null };
    reason.value = from.value = until.value = "";
  };
  const moment = (name: "from" | "until", words: Key) => {
    const held = name === "from" ? from : until;
    return (
      <label>
        {t(words)}
        <input
          name={name}
          type="datetime-local"
          value={held.value}
          onInput={(event) => {
            held.value = event.currentTarget.value;
          }}
        />
      </label>
    );
  };
  return (
    <details>
      <summary>{t("keep_new_hold")}</summary>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p class="hint">{t("keep_hold_hint")}</p>
        <TargetField
          id="hold-target"
          kinds={HELD}
          value={target.value}
          set={(to) => {
            target.value = to;
          }}
        />
        {moment("from", "keep_said_from")}
        {moment("until", "keep_said_until")}
        <Reason value={reason.value} set={(to) => (reason.value = to)} words="keep_why" />
        <div class="row">
          <button
            type="submit"
            class="primary"
            disabled={target.value.found === null || !reason.value.trim()}
          >
            {t("keep_hold")}
          </button>
        </div>
      </form>
    </details>
  );
}

/** One recording, photo or note, by the number that the archive and every export tell. */
function Deletion() {
  const id = useSignal("");
  const reason = useSignal("");
  const word = useSignal("");
  const run = async () => {
    const what = id.value.trim();
    const kind = what.startsWith("b-") ? "recordings" : "materials";
    try {
      await authorised("POST", `/${kind}/${encodeURIComponent(what)}/deletion`, {
        reason: reason.value.trim(),
      });
      word.value = t("keep_deleted", { id: what });
      id.value = reason.value = "";
    } catch (problem) {
      const held = problem instanceof Problem && problem.code === "conflict";
      word.value = held ? t("keep_held") : wordsOf(problem);
    }
  };
  return (
    <section>
      <h2>{t("keep_delete")}</h2>
      <p class="hint">{t("keep_delete_hint")}</p>
      <div class="fields deletion">
        <label>
          {t("keep_number_of_one")}
          <input
            name="recording"
            maxLength={64}
            autocomplete="off"
            value={id.value}
            onInput={(event) => {
              id.value = event.currentTarget.value;
            }}
          />
        </label>
        <Reason value={reason.value} set={(to) => (reason.value = to)} words="keep_why" />
        <p class="word" role="status">
          {word.value}
        </p>
        {id.value.trim() && reason.value.trim() && <Sure title={t("admin_delete")} run={run} />}
      </div>
    </section>
  );
}

function whenWhom(ms: number, name: string): string {
  return name ? t("admin_by_whom", { when: momentWords(ms), name }) : momentWords(ms);
}
