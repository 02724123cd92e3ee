// What list and detail say of a case in the same words: how urgent it is, where it stands, why something was refused.

import { Problem } from "../../account/api";
import { refusalWords, t } from "../../i18n";
import type { Key } from "../../i18n/zh";
import type { Case } from "./cases";

export const wordsOf = (problem: unknown) =>
  refusalWords(problem instanceof Problem ? problem.code : "unreachable");

export function Tags({ found }: { found: Case }) {
  return (
    <>
      {found.facts.urgent && <em class="urgent">{t("incident_urgent")}</em>}
      {found.facts.supervised && <em class="supervised">{t("cases_supervised")}</em>}
    </>
  );
}

/** Where a case stands; of one whose group is ending, that. */
export function stateKey(found: Case): Key {
  return found.address === "closing" ? "case_state_closing" : (`case_state_${found.state}` as Key);
}
