// Whom a leader reaches: groups, people, an area drawn on the map, or a saved plan.

import { useSignal } from "@preact/signals";
import { t } from "../../i18n";
import type { Command } from "../../leader/command";
import { everyone, nobody, toggled } from "../../leader/targets";
import { useContacts } from "../../people/contacts";
import { MapPick } from "./MapPick";
import { Plans } from "./Plans";

const TABS = [
  ["groups", "leader_pick_groups"],
  ["people", "leader_pick_people"],
  ["area", "leader_pick_area"],
  ["plans", "leader_plans"],
] as const;

export function Pick({ command }: { command: Command }) {
  const tab = useSignal<(typeof TABS)[number][0]>("groups");
  return (
    <>
      <div class="tabs" role="tablist">
        {TABS.map(([name, word]) => (
          <button
            key={name}
            type="button"
            role="tab"
            aria-selected={tab.value === name}
            data-tab={name}
            onClick={() => {
              tab.value = name;
              if (name === "plans") command.loadPlans();
            }}
          >
            {t(word)}
          </button>
        ))}
      </div>
      {tab.value === "groups" && <Groups command={command} />}
      {tab.value === "people" && <PickPeople command={command} />}
      {tab.value === "area" && <MapPick command={command} />}
      {/* Whoever edits a plan chooses its people on the other sheets. */}
      <div hidden={tab.value !== "plans"}>
        <Plans command={command} />
      </div>
    </>
  );
}

function Groups({ command }: { command: Command }) {
  const chosen = command.chosen.value;
  return (
    <ul class="targets">
      <li>
        <button
          type="button"
          aria-pressed={everyone(chosen)}
          onClick={() => {
            command.chosen.value = nobody;
          }}
        >
          {t("leader_everyone")}
        </button>
      </li>
      {command.phone.picture.value.groups.map(({ id, name }) => (
        <li key={id}>
          <button
            type="button"
            aria-pressed={chosen.groups.has(id)}
            onClick={() => {
              command.chosen.value = { ...chosen, groups: toggled(chosen.groups, id) };
            }}
          >
            {name}
          </button>
        </li>
      ))}
    </ul>
  );
}

function PickPeople({ command }: { command: Command }) {
  const wanted = useSignal("");
  const me = command.phone.picture.value.user?.id;
  const { people: found, failed } = useContacts(wanted.value, me);
  const chosen = command.chosen.value;
  const shown = command.shown(found).filter(({ id }) => id !== me);
  return (
    <>
      <input
        type="search"
        class="find"
        placeholder={t("leader_find")}
        aria-label={t("leader_find")}
        value={wanted.value}
        onInput={(event) => {
          wanted.value = event.currentTarget.value;
        }}
      />
      {failed && (
        <p class="problem" role="alert">
          {t("people_failed")}
        </p>
      )}
      {!failed && shown.length === 0 && wanted.value.trim() && <p class="hint">{t("people_none")}</p>}
      <ul class="targets persons">
        {shown.map(({ id, name, badge }) => (
          <li key={id}>
            <button
              type="button"
              aria-pressed={chosen.users.has(id)}
              onClick={() => {
                command.chosen.value = { ...chosen, users: toggled(chosen.users, id) };
              }}
            >
              {name} <span class="badge">{badge}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
