// What the case system told of a case, the last one first, and taking back what was told wrongly: it is asked for twice.

import { useSignal } from "@preact/signals";
import { known, t } from "../../i18n";
import { briefWords } from "../../i18n/moments";
import { Twice } from "../../ui/Twice";
import { news, type Told, takeBack } from "./cases";
import { wordsOf } from "./words";

type Props = { code: string; act: (work: Promise<unknown>) => Promise<void> };

export function News({ code, act }: Props) {
  const told = useSignal<readonly Told[] | null>(null);
  const problem = useSignal("");
  const read = async () => {
    try {
      told.value = await news(code);
      problem.value = "";
    } catch (refused) {
      problem.value = wordsOf(refused);
    }
  };
  const take = async (one: Told) => {
    await act(takeBack(code, one));
    await read();
  };
  return (
    <section class="news">
      <h3>{t("cases_news")}</h3>
      {problem.value && <p class="problem">{problem.value}</p>}
      <button type="button" class="quiet" onClick={() => void read()}>
        {t(told.value === null ? "cases_news_read" : "cases_news_again")}
      </button>
      {told.value?.length === 0 && <p class="none">{t("cases_nothing")}</p>}
      <ol>
        {told.value?.map((one) => (
          <li key={`${one.version} ${one.id}`}>
            <time>{briefWords(one.at_ms)}</time>
            <span>
              <b>{wordOf(one)}</b> {one.who}
              <small>{t("cases_news_version", { version: one.version })}</small>
            </span>
            <Twice
              class="quiet"
              title={t("cases_news_take_back")}
              question={t("cases_news_sure")}
              about={`${wordOf(one)} ${one.who}`}
              run={() => void take(one)}
            />
          </li>
        ))}
      </ol>
    </section>
  );
}

const wordOf = ({ step, state }: Told) =>
  known(step === null && state !== null ? `case_state_${state}` : `case_step_${step}`, "case_step_update");
