// Deletion on request. Whoever asks for it gives a reason, and a hold is stronger.

import { useSignal } from "@preact/signals";
import { Problem } from "../../../account/api";
import { authorised } from "../../../account/authorised";
import { t } from "../../../i18n";
import { wordsOf } from "../office";
import { Sure } from "../Sure";
import { Reason } from "./kept";

/** One recording, photo or note, by the number that the archive and every export tell. */
export function Deletion() {
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
        {id.value.trim() && reason.value.trim() && (
          // Agreed to was the number that stood there then.
          <Sure key={id.value.trim()} title={t("admin_delete")} run={run} />
        )}
      </div>
    </section>
  );
}
