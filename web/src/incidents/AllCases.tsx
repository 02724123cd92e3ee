// Every open incident of this person, beyond the few his page lists: found by title or code, and chosen from.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { refusalWords, t } from "../i18n";
import type { Phone } from "../phone/phone";
import { Drawer } from "../ui/Drawer";
import { RequestRefused } from "../wire/link";
import type { IncidentSummary } from "../wire/protocol";
import { Chooser } from "./Chooser";

/** As many as a person looks through; the search finds the others. */
const FOUND = 50;
const TYPED_MS = 250;

export function AllCases({ phone, close }: { phone: Phone; close: () => void }) {
  const text = useSignal("");
  const found = useSignal<{ list: readonly IncidentSummary[]; more: boolean } | null>(null);
  const problem = useSignal("");
  const { list } = phone.incidents.value;
  const wanted = text.value.trim();
  // Also when the list has changed: what is found may be different then.
  useEffect(() => {
    let gone = false;
    const look = async () => {
      try {
        const answer = await phone.ask({ type: "incident_list", limit: FOUND, text: wanted });
        if (gone || answer.type !== "incidents") return;
        found.value = { list: answer.incidents, more: answer.more ?? false };
        problem.value = "";
      } catch (why) {
        if (!gone) problem.value = why instanceof RequestRefused ? refusalWords(why.code) : t("cases_unread");
      }
    };
    const later = window.setTimeout(() => void look(), found.peek() ? TYPED_MS : 0);
    return () => {
      gone = true;
      clearTimeout(later);
    };
  }, [wanted, list]);
  const choose = (one: IncidentSummary) => {
    phone.cases.open(one);
    close();
  };
  return (
    <Drawer title={t("incidents_all")} class="all-cases" close={close}>
      <input
        type="search"
        value={text.value}
        maxLength={64}
        placeholder={t("cases_search")}
        aria-label={t("cases_search")}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
        }}
      />
      {problem.value && (
        <p class="unsaid" role="alert">
          {problem.value}
        </p>
      )}
      {found.value?.list.length === 0 && <p>{t(wanted ? "incidents_found_none" : "incidents_mine_none")}</p>}
      <ul class="incidents" aria-label={t("incidents_all")}>
        {found.value?.list.map((one) => (
          <li key={one.code} data-code={one.code} data-urgent={one.urgent ?? false}>
            <Chooser one={one} selected={one.group?.id === phone.picture.value.selected} choose={choose}>
              {one.address || one.code}
            </Chooser>
          </li>
        ))}
      </ul>
      {found.value?.more && <p>{t("cases_more", { count: FOUND })}</p>}
    </Drawer>
  );
}
