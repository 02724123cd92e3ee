// The audit: who did what to whom, when and from where, what was refused; searched, and checked seal by seal.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../../account/authorised";
import { ACTS, actWords, t } from "../../i18n";
import { clockWords, momentWords } from "../../i18n/moments";
import type { Key } from "../../i18n/zh";
import { Moment } from "../../ui/Moment";
import { type Entry, kindOf, reasonWords, targetWords, told } from "./details";
import { longDay, midnight } from "./moments";
import { wordsOf } from "./office";
import { same } from "./record";

const PAGE = 50;

type Asked = {
  who: string;
  about: string;
  action: string;
  result: "" | "done" | "refused";
  from: string;
  until: string;
  /** One actor or target, by a click on his name. */
  only: { field: "actor" | "target"; id: string; name: string } | null;
};
const NOTHING: Asked = { who: "", about: "", action: "", result: "", from: "", until: "", only: null };

/** Acts by what they begin with; the rest was dispatching. */
const KINDS: readonly (readonly [title: Key, begins: RegExp])[] = [
  ["acts_access", /^(sign_in|session\.|enrolment\.|device\.)/],
  ["acts_people", /^(agency|unit|user|shift|cell|sheet)\./],
  ["acts_groups", /^(group|share)\./],
  ["acts_looked", /^(audit\.read|place\.|replay|recording\.(play|so_far)|material\.|export)/],
  ["acts_kept", /^(recording\.|retention\.|hold\.)/],
  [
    "acts_emergency",
    /^(alert\.|emergency\.|broadcast|message\.|cap\.|plan\.|keep_plans|raise_sos|declare|step_into|cancel|claim)/,
  ],
  ["acts_incidents", /^(incident\.|bridge\.|handle_incident)/],
  [
    "acts_refused",
    /^(disable|end_session|administer|see_|plan_duty|assign|share_|rule_|read_|alter_|recording$|material$)/,
  ],
  ["acts_dispatch", /./],
];

export function Audit() {
  const asked = useSignal<Asked>(NOTHING);
  const entries = useSignal<readonly Entry[]>([]);
  const next = useSignal("");
  /** Until when was looked back, where older entries are still to be looked at. */
  const searched = useSignal<number | null>(null);
  const word = useSignal("");
  const loaded = useSignal(false);
  const read = async (after = "") => {
    const wanted = asked.peek();
    try {
      const found = await authorised<{ items: Entry[]; next: string | null; searched_ms: number | null }>(
        "GET",
        `/audit?${query(wanted, after)}`,
      );
      if (wanted !== asked.peek() || (after && after !== next.peek())) return;
      entries.value = after ? [...entries.peek(), ...found.items] : found.items;
      next.value = found.next ?? "";
      searched.value = found.searched_ms;
      loaded.value = true;
      word.value = "";
    } catch (problem) {
      word.value = wordsOf(problem);
    }
  };
  useEffect(() => {
    // Each question stands in the audit itself: one is asked when it is whole, never letter by letter.
    void read();
  }, [asked.value]);
  const ask = (part: Partial<Asked>) => {
    const wanted = { ...asked.peek(), ...part };
    if (!same(wanted, asked.peek())) asked.value = wanted;
  };
  return (
    <div class="audit">
      <Filters asked={asked.value} ask={ask} />
      <p class="word" role="status">
        {word.value}
      </p>
      <ol class="entries">
        {entries.value.map((entry, at) => {
          const day = midnight(entry.at_ms);
          const before = entries.value[at - 1];
          return (
            <li key={entry.seq}>
              {(!before || midnight(before.at_ms) !== day) && <h2 class="day">{longDay(entry.at_ms)}</h2>}
              <Row entry={entry} only={(only) => ask({ only })} />
            </li>
          );
        })}
      </ol>
      {loaded.value && entries.value.length === 0 && <p class="hint">{t("admin_none")}</p>}
      {searched.value !== null && (
        <p class="hint">{t("audit_searched", { when: momentWords(searched.value) })}</p>
      )}
      {next.value && (
        <button type="button" onClick={() => void read(next.value)}>
          {t("admin_more")}
        </button>
      )}
    </div>
  );
}

function query(asked: Asked, after: string): URLSearchParams {
  const found = new URLSearchParams({ limit: String(PAGE) });
  const put = (key: string, value: string) => value && found.set(key, value);
  put("who", asked.who.trim());
  put("about", asked.about.trim());
  put("action", asked.action);
  if (asked.result) found.set("refused", String(asked.result === "refused"));
  if (asked.from) found.set("from_ms", String(new Date(`${asked.from}T00:00`).getTime()));
  if (asked.until) found.set("until_ms", String(midnight(new Date(`${asked.until}T00:00`).getTime(), 1)));
  if (asked.only) found.set(asked.only.field, asked.only.id);
  put("after", after);
  return found;
}

function Filters({ asked, ask }: { asked: Asked; ask: (part: Partial<Asked>) => void }) {
  return (
    <div class="filters">
      <div class="tools">
        <Search
          name="who"
          hint="audit_who_hint"
          words="audit_who_search"
          value={asked.who}
          set={(who) => ask({ who })}
        />
        <Search
          name="about"
          hint="audit_about_hint"
          words="audit_about_search"
          value={asked.about}
          set={(about) => ask({ about })}
        />
        <select
          name="action"
          aria-label={t("admin_action")}
          value={asked.action}
          onChange={(event) => ask({ action: event.currentTarget.value })}
        >
          <option value="">{t("audit_any_act")}</option>
          {grouped().map(([title, acts]) => (
            <optgroup key={title} label={t(title)}>
              {acts.map((act) => (
                <option key={act} value={act}>
                  {actWords(act)}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
        <select
          name="result"
          aria-label={t("audit_result")}
          value={asked.result}
          onChange={(event) => ask({ result: event.currentTarget.value as Asked["result"] })}
        >
          <option value="">{t("audit_any")}</option>
          <option value="done">{t("audit_done")}</option>
          <option value="refused">{t("audit_refused")}</option>
        </select>
        <Day words="audit_from" value={asked.from} set={(from) => ask({ from })} />
        <Day words="audit_until" value={asked.until} set={(until) => ask({ until })} />
        <Check />
        {asked.only && (
          <button type="button" class="chip" onClick={() => ask({ only: null })}>
            {t("audit_only", { what: asked.only.name })} ×
          </button>
        )}
        {asked !== NOTHING && (
          <button type="button" class="quiet" onClick={() => ask(NOTHING)}>
            {t("audit_clear")}
          </button>
        )}
      </div>
    </div>
  );
}

function grouped(): [Key, string[]][] {
  const left = new Set(ACTS);
  return KINDS.map(([title, begins]) => {
    const here = [...left].filter((act) => begins.test(act));
    for (const act of here) left.delete(act);
    return [title, here.sort((a, b) => actWords(a).localeCompare(actWords(b), "zh-CN"))];
  });
}

type SearchProps = { name: string; hint: Key; words: Key; value: string; set: (to: string) => void };

/** What is typed is asked for by Enter, or when one goes on to something else. */
function Search({ name, hint, words, value, set }: SearchProps) {
  const typed = useSignal(value);
  useEffect(() => {
    typed.value = value;
  }, [value]);
  return (
    <input
      type="search"
      name={name}
      maxLength={64}
      placeholder={t(hint)}
      aria-label={t(words)}
      title={t(words)}
      enterKeyHint="search"
      value={typed.value}
      onInput={({ currentTarget }) => {
        typed.value = currentTarget.value;
        if (!currentTarget.value) set("");
      }}
      onChange={({ currentTarget }) => set(currentTarget.value)}
    />
  );
}

function Day({ words, value, set }: { words: Key; value: string; set: (to: string) => void }) {
  return (
    <label class="date">
      {t(words)}
      <Moment precision="date" value={value} set={set} />
    </label>
  );
}

type Only = (only: Asked["only"]) => void;

function Row({ entry, only }: { entry: Entry; only: Only }) {
  const { actor, target } = entry;
  const nobody = entry.action === "sign_in" ? "audit_unproved" : "audit_system";
  const who = entry.actor_name ?? t(actor === null ? nobody : "audit_other");
  const name = targetWords(entry);
  return (
    <article data-refused={entry.refused}>
      <time dateTime={new Date(entry.at_ms).toISOString()}>{clockWords(entry.at_ms, true)}</time>
      <p class="who">
        {actor === null ? (
          <span class="soft">{who}</span>
        ) : (
          <button type="button" class="open" onClick={() => only({ field: "actor", id: actor, name: who })}>
            {who}
          </button>
        )}
      </p>
      <p class="act">
        {actWords(entry.action)}
        {entry.refused && <span class="chip red">{t("audit_refused")}</span>}
      </p>
      <p class="target">
        {name && <span class="soft">{kindOf(entry.target_kind)}</span>}{" "}
        <button
          type="button"
          class="open"
          onClick={() =>
            only({ field: "target", id: target, name: name || `${kindOf(entry.target_kind)} ${target}` })
          }
        >
          {name || kindOf(entry.target_kind)}
        </button>
      </p>
      <details>
        <summary>
          <span class="visually-hidden">{t("audit_entry", { seq: entry.seq })} </span>
          {entry.refused && <span class="reason">{reasonWords(entry)} </span>}
          {told(entry).map(([title, value]) => (
            <span key={title} class="told">
              <span class="soft">{title}</span> {value}
            </span>
          ))}
        </summary>
        <p class="raw">
          {t("audit_entry", { seq: entry.seq })} · {entry.action} · {target}
          {entry.address && ` · ${t("admin_address")} ${entry.address}`}
          <br />
          {t("audit_seal")} <code>{entry.seal}</code>
          <br />
          <code>{JSON.stringify(entry.detail)}</code>
        </p>
      </details>
    </article>
  );
}

/** Every seal of the whole audit fits, or from which entry on it does not. */
function Check() {
  const word = useSignal("");
  const check = async () => {
    try {
      const found = await authorised<{ entries: number; whole: boolean; broken_at: number | null }>(
        "GET",
        "/audit/check",
      );
      word.value = found.whole
        ? t("admin_audit_whole", { entries: found.entries })
        : t("admin_audit_broken", { at: found.broken_at ?? 0 });
    } catch (problem) {
      word.value = wordsOf(problem);
    }
  };
  return (
    <span class="row check">
      <button type="button" onClick={() => void check()}>
        {t("admin_check_audit")}
      </button>
      <span role="status">{word.value}</span>
    </span>
  );
}
