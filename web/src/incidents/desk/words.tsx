// What list and detail say of a case in the same words: how urgent it is, where it stands, why something was refused.

import { Problem } from "../../account/api";
import { refusalWords, t } from "../../i18n";
import type { Key } from "../../i18n/zh";
import type { Case } from "./cases";

const PARTY: Record<string, Key> = {
  user: "party_user",
  unit: "party_unit",
  cell: "party_cell",
  duty: "party_duty",
  place: "party_place",
};

/** Parties of a dispatch as the server names them, ``kind:name``, in words. */
export const parties = (named: readonly string[]) =>
  named
    .map((each) => {
      const [kind = "", ...name] = each.split(":");
      return [PARTY[kind] ? t(PARTY[kind]) : kind, name.join(":")].filter(Boolean).join(" ");
    })
    .join(t("party_and"));

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
