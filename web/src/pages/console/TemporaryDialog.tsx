// A temporary group (临时组) of those who were chosen: its name, how long it may last, and who will be in it.

import { useSignal } from "@preact/signals";
import type { ConsoleDesk } from "../../console/desk";
import { LASTS_HOURS, type Named } from "../../console/gathering";
import { t } from "../../i18n";
import { places, seenInside } from "../../map/places";
import { Modal } from "./Modal";

/** Must not exceed `MAX_NAME_CHARS` of signaling/limits.py. */
const LONGEST_NAME = 64;

export function TemporaryDialog({ desk }: { desk: ConsoleDesk }) {
  return (
    <Modal desk={desk} dialog="temporary" title={t("temporary_title")}>
      <Beginning desk={desk} />
    </Modal>
  );
}

function Beginning({ desk }: { desk: ConsoleDesk }) {
  const { groups, people, ring } = desk.gathering.value;
  const usual = groups.map(({ name }) => name).join(" + ") || (ring ? t("temporary_area") : "");
  const name = useSignal(usual.slice(0, LONGEST_NAME));
  const hours = useSignal("");
  return (
    <form
      class="temporary"
      onSubmit={(event) => {
        event.preventDefault();
        desk.beginTemporary(name.value, hours.value === "" ? null : Number(hours.value));
      }}
    >
      <p class="hint">{t("temporary_hint")}</p>
      <dl class="gathered">
        {groups.length > 0 && <Line term={t("temporary_groups")} words={names(groups)} />}
        {people.length > 0 && <Line term={t("temporary_people")} words={names(people)} />}
        {ring && (
          <Line
            term={t("temporary_area")}
            words={t("map_inside", { count: seenInside(places.value, ring).length })}
          />
        )}
      </dl>
      <label>
        {t("temporary_name")}
        <input
          type="text"
          maxLength={LONGEST_NAME}
          value={name.value}
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
      </label>
      <label>
        {t("temporary_lasts")}
        <select
          value={hours.value}
          onChange={(event) => {
            hours.value = event.currentTarget.value;
          }}
        >
          <option value="">{t("temporary_as_set")}</option>
          {LASTS_HOURS.map((each) => (
            <option key={each} value={each}>
              {t("temporary_hours", { hours: each })}
            </option>
          ))}
        </select>
      </label>
      <p class="acts">
        <button type="submit" class="primary">
          {t("temporary_begin")}
        </button>
      </p>
    </form>
  );
}

function Line({ term, words }: { term: string; words: string }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{words}</dd>
    </div>
  );
}

function names(of: readonly Named[]): string {
  return of.map(({ name }) => name).join("、");
}
