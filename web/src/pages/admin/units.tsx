// The tree of units, drawn as one, and the unit that is edited.

import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import { Icon } from "../../ui/icons";
import { Delete, type Field, Form, Panel } from "./Editor";
import { may, readUnits, subtree, tree, unitName, units } from "./office";
import { type EditorProps, unitOptions, useHeld } from "./people";

const fields = (id: string | null): readonly Field[] => [
  { name: "name", title: "admin_name", kind: "text", required: true },
  {
    name: "parent",
    title: "admin_parent",
    kind: "choice",
    options: () => {
      const own = id === null ? new Set() : subtree(id);
      return [["", t("admin_no_parent")], ...unitOptions().filter(([unit]) => !own.has(unit))];
    },
  },
];

export function UnitTree({ open, below }: { open: (id: string) => void; below: (parent: string) => void }) {
  return (
    <ul class="tree">
      {tree(units.value).map(({ unit, depth }) => (
        <li key={unit.id} style={{ paddingLeft: `${depth * 1.4}rem` }}>
          <button type="button" class="node" onClick={() => open(unit.id)}>
            {unit.name}
          </button>
          {may("units") && (
            <button
              type="button"
              class="quiet add"
              aria-label={t("admin_unit_below", { name: unit.name })}
              title={t("admin_unit_below", { name: unit.name })}
              onClick={() => below(unit.id)}
            >
              <Icon.plus />
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

export function UnitPanel({ id, close, saved, parent }: EditorProps & { parent: string | null }) {
  const [found, kept] = useHeld(id === null ? null : `/units/${id}`, { name: "", parent });
  if (typeof found === "string") return <Panel title={t("admin_units")} close={close} children={found} />;
  const done = async (made?: string) => {
    await readUnits();
    saved(made);
  };
  return (
    <Panel title={id === null ? t("admin_new_unit") : unitName(id)} close={close}>
      {found && (
        <Form
          fields={fields(id)}
          path={id === null ? null : `/units/${id}`}
          held={found}
          create={async (values) => done((await authorised<{ id: string }>("POST", "/units", values)).id)}
          kept={kept}
          saved={() => void done()}
        />
      )}
      {found && id !== null && (
        <Delete
          path={`/units/${id}`}
          tag={found.tag}
          later={kept}
          gone={async () => {
            await done();
            close();
          }}
        />
      )}
    </Panel>
  );
}
