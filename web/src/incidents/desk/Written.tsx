// What was written in the group of a case, read when it is asked for: each reading is audited. Also where the group is gone.

import { useSignal } from "@preact/signals";
import { filled, statusWords, t } from "../../i18n";
import { briefWords } from "../../i18n/moments";
import { type Message, texts } from "./cases";
import { wordsOf } from "./words";

export function Written({ code }: { code: string }) {
  const read = useSignal<readonly Message[] | null>(null);
  const more = useSignal(false);
  const problem = useSignal("");
  const fetch = async () => {
    try {
      const page = await texts(code, read.value?.[0]?.number);
      read.value = [...page.texts, ...(read.value ?? [])];
      more.value = page.more;
      problem.value = "";
    } catch (refused) {
      problem.value = wordsOf(refused);
    }
  };
  return (
    <section class="written">
      <h3>{t("cases_written")}</h3>
      {problem.value && <p class="problem">{problem.value}</p>}
      {(read.value === null || more.value) && (
        <button type="button" class="quiet" onClick={() => void fetch()}>
          {read.value === null ? t("cases_written_read") : t("text_older")}
        </button>
      )}
      {read.value?.length === 0 && <p class="none">{t("cases_nothing")}</p>}
      <ol>
        {read.value?.map((one) => (
          <li key={one.number}>
            <time>{briefWords(one.at_ms)}</time>
            <span>
              <b>{one.name || one.user}</b> {bodyOf(one)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function bodyOf(one: Message): string {
  if (one.kind === "callback") return filled(t("text_wants_call"), { name: one.name || one.user });
  return [one.status ? statusWords(one.status) : "", one.text].filter(Boolean).join(" · ");
}
