// How long voice, photos and notes stay, what a legal hold keeps, and deletion on request.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../../../account/authorised";
import { t } from "../../../i18n";
import { wordsOf } from "../office";
import { Deletion } from "./Deletion";
import { type Hold, HoldCard, NewHold } from "./Holds";
import type { Ask } from "./kept";
import { daysWords, NewRule, type Rule, RuleCard } from "./Rules";

type Terms = { days: number; incident_days: number | null; least_days: number };

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
