// One group: its settings, its rules, and its people.

import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import type { Key } from "../../i18n/zh";
import { Delete, type Field, Form, Panel } from "./Editor";
import { Members } from "./members";
import { agency, may, tree, units } from "./office";
import { optionFields, sent, shown } from "./options";
import { type EditorProps, unitOptions, useHeld } from "./people";

const KINDS: readonly (readonly [string, Key])[] = [
  ["chat", "kind_chat"],
  ["prearranged", "kind_prearranged"],
  ["broadcast", "kind_broadcast"],
  ["temporary", "kind_temporary"],
  ["incident", "kind_incident"],
];
export const kindWords = (kind: unknown) => {
  const found = KINDS.find(([each]) => each === kind);
  return found ? t(found[1]) : String(kind ?? "");
};

const FIELDS: readonly Field[] = [
  { name: "name", title: "admin_name", kind: "text", required: true },
  { name: "unit", title: "admin_unit", kind: "choice", required: true, options: unitOptions },
  {
    name: "kind",
    title: "admin_kind",
    kind: "choice",
    options: () => KINDS.map(([kind, title]) => [kind, t(title)] as const),
  },
  {
    name: "duty_unit",
    title: "admin_duty_unit",
    kind: "choice",
    options: () => [["", t("admin_no_duty_unit")], ...unitOptions()],
  },
  { name: "enabled", title: "admin_enabled", kind: "check" },
  { name: "emergency_allowed", title: "admin_emergency_allowed", kind: "check" },
  { name: "monitoring_allowed", title: "admin_monitoring_allowed", kind: "check" },
];

export function GroupPanel({ id, close, saved }: EditorProps) {
  const [found, kept] = useHeld(id === null ? null : `/groups/${id}`, {
    name: "",
    unit: tree(units.value)[0]?.unit.id ?? "",
    kind: "chat",
    duty_unit: null,
    enabled: true,
    emergency_allowed: true,
    monitoring_allowed: true,
  });
  if (typeof found === "string") return <Panel title={t("groups")} close={close} children={found} />;
  const foreign = found?.values.agency !== undefined && found.values.agency !== agency.value?.id;
  return (
    <Panel title={id === null ? t("admin_new_group") : String(found?.values.name ?? "")} close={close}>
      {foreign && <p class="hint">{t("admin_shared_group")}</p>}
      {found && !foreign && may("groups") && (
        <Form
          // A new group begins with what the server takes where nothing is said; then all of it is offered.
          {...(id === null
            ? { fields: FIELDS, path: null }
            : { fields: [...FIELDS, ...optionFields], path: `/groups/${id}`, show: shown, send: sent })}
          held={found}
          create={async (values) => saved((await authorised<{ id: string }>("POST", "/groups", values)).id)}
          kept={kept}
          saved={saved}
        />
      )}
      {id !== null && found && <Members id={id} foreign={foreign} changed={saved} />}
      {id !== null && found && !foreign && may("groups") && (
        <Delete
          path={`/groups/${id}`}
          tag={found.tag}
          later={kept}
          gone={() => {
            saved();
            close();
          }}
        />
      )}
    </Panel>
  );
}
