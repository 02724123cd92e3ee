// Saved plans (应急方案): one tap starts one; and the page to edit them. What was started is ended or withdrawn beside it.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem } from "../../account/api";
import { t } from "../../i18n";
import { type Plan, plans } from "../../leader/api";
import type { Command } from "../../leader/command";
import { type Draft, draftOf, startsOf, WHATS, type What, whatOf } from "../../leader/draft";
import { type Chosen, choice, nobody } from "../../leader/targets";
import { Twice } from "../../ui/Twice";
import type { Tier } from "../../wire/protocol";
import { Spoken } from "./Say";

/** A finger that trembles starts a plan once. */
const TWICE_MS = 4_000;

export function Plans({ command }: { command: Command }) {
  /** `before`: whom the keys reached when it was opened; meanwhile those of the plan are chosen. */
  const edited = useSignal<{ plan: Plan | null; before: Chosen } | null>(null);
  if (edited.value) {
    return (
      <Editor
        command={command}
        plan={edited.value.plan}
        done={(kept) => {
          if (edited.value) command.chosen.value = kept ? nobody : edited.value.before;
          edited.value = null;
          command.loadPlans();
        }}
      />
    );
  }
  return (
    <ul class="plans">
      {command.plans.value.length === 0 && <li class="hint">{t("plan_none")}</li>}
      {command.plans.value.map((plan) => (
        <li key={plan.id}>
          <Start command={command} plan={plan} />
          <button
            type="button"
            onClick={() => {
              edited.value = { plan, before: command.chosen.value };
              command.chosen.value = choice(plan.starts.to);
            }}
          >
            {t("plan_edit")}
          </button>
        </li>
      ))}
      <li>
        <button
          type="button"
          class="new"
          onClick={() => {
            edited.value = { plan: null, before: command.chosen.value };
          }}
        >
          {t("plan_new")}
        </button>
      </li>
    </ul>
  );
}

function Start({ command, plan }: { command: Command; plan: Plan }) {
  const started = useSignal(false);
  useEffect(() => {
    if (!started.value) return;
    const timer = setTimeout(() => {
      started.value = false;
    }, TWICE_MS);
    return () => clearTimeout(timer);
  }, [started.value, started]);
  const { starts } = plan;
  return (
    <button
      type="button"
      class="start"
      data-started={started.value}
      data-tier={starts.tier}
      onClick={() => {
        if (started.value) return;
        started.value = true;
        void command.run(plan);
      }}
    >
      <strong>{plan.name}</strong>
      <span>
        {started.value
          ? t("plan_started")
          : `${t(`plan_what_${whatOf(starts)}`)} · ${t(`plan_tier_${starts.tier}`)}`}
      </span>
    </button>
  );
}

type EditorProps = { command: Command; plan: Plan | null; done: (kept: boolean) => void };

function Editor({ command, plan, done }: EditorProps) {
  const draft = useSignal<Draft>(draftOf(plan));
  /** What is saved over or deleted: as it was opened, then as it was shown after somebody else had changed it. */
  const seen = useSignal(plan);
  const theirs = useSignal<Plan | null>(null);
  const { name, what, tier, text, message } = draft.value;
  const change = (part: Partial<Draft>) => {
    draft.value = { ...draft.value, ...part };
  };
  const save = async () => {
    const before = seen.value;
    const starts = startsOf(draft.value, command.chosen.value, before?.starts ?? null);
    try {
      await (before ? plans.update(before, name, starts) : plans.create(name, starts));
      done(true);
    } catch (problem) {
      await failed(problem);
    }
  };
  const remove = (before: Plan) => plans.remove(before).then(() => done(false), failed);
  const failed = async (problem: unknown) => {
    if (!(problem instanceof Problem && problem.status === 412)) return command.failed(problem);
    try {
      const now = (await plans.list()).find(({ id }) => id === seen.value?.id);
      if (!now) return command.failed(new Problem("not_found", 404));
      theirs.value = seen.value = now;
    } catch (why) {
      command.failed(why);
    }
  };
  const complete =
    name.trim() !== "" &&
    (what !== "recorded" || message) &&
    (text.trim() || (what !== "text" && what !== "roll_call"));
  return (
    <form
      class="plan-editor"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {theirs.value && (
        <div class="clash" role="alert">
          <p>
            {t("plan_clash", {
              name: theirs.value.name,
              what: t(`plan_what_${whatOf(theirs.value.starts)}`),
            })}
          </p>
          <button
            type="button"
            onClick={() => {
              draft.value = draftOf(seen.value);
              command.chosen.value = choice(seen.value?.starts.to ?? {});
              theirs.value = null;
            }}
          >
            {t("plan_take_theirs")}
          </button>
        </div>
      )}
      <label>
        {t("plan_name")}
        <input
          value={name}
          maxLength={128}
          onInput={(event) => change({ name: event.currentTarget.value })}
        />
      </label>
      <label>
        {t("plan_what")}
        <select value={what} onChange={(event) => change({ what: event.currentTarget.value as What })}>
          {WHATS.map((each) => (
            <option key={each} value={each}>
              {t(`plan_what_${each}`)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("plan_tier")}
        <select
          value={String(tier)}
          onChange={(event) => change({ tier: Number(event.currentTarget.value) as Tier })}
        >
          {([0, 1, 2] as const)
            .filter((each) => each > 0 || what !== "call")
            .map((each) => (
              <option key={each} value={String(each)}>
                {t(`plan_tier_${each}`)}
              </option>
            ))}
        </select>
      </label>
      <label>
        {t("plan_message")}
        <textarea
          rows={3}
          maxLength={what === "call" ? 128 : 2000}
          value={text}
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
      </label>
      {what === "recorded" && (
        <Spoken
          word={t(message ? "broadcast_recorded" : "plan_save")}
          failed={(problem) => command.failed(problem)}
          use={async (wav) => {
            const kept = await command.keep(wav);
            if (kept) change({ message: kept });
            return kept !== null;
          }}
        />
      )}
      <p class="hint">{t("plan_to_chosen")}</p>
      <div class="sends">
        <button type="submit" class="primary" disabled={!complete}>
          {t("plan_save")}
        </button>
        <button type="button" onClick={() => done(false)}>
          {t("plan_back")}
        </button>
        {seen.value && <Twice title={t("plan_delete")} run={() => seen.value && void remove(seen.value)} />}
      </div>
    </form>
  );
}
