// Grid cells: the list, a small map of what is listed, and the cell that is edited.

import { useSignal } from "@preact/signals";
import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import { type Datum, inWgs84 } from "../../map/datum";
import { Delete, type Field, Form, Panel } from "./Editor";
import { Chips, Finder, type Found } from "./Finder";
import { may, tree, units } from "./office";
import { corners, drawn, lines, type Point } from "./outline";
import { type EditorProps, unitOptions, useHeld } from "./people";
import type { Values } from "./record";

const MAP = { width: 640, height: 260 } as const;
const SMALL = { width: 360, height: 160 } as const;

type Outlined = { code: string; name: string; outline: readonly Point[]; datum: Datum };

/** What is listed, drawn, for the eye alone: whether cells lie beside each other or one is far off. */
export function CellMap({ cells }: { cells: readonly Outlined[] }) {
  const there = cells.filter(({ outline }) => outline.length > 2);
  if (there.length === 0) return null;
  const points = drawn(
    there.map(({ outline, datum }) => outline.map((corner) => onOneMap(corner, datum))),
    MAP.width,
    MAP.height,
  );
  return (
    <svg class="cell-map" viewBox={`-4 -4 ${MAP.width + 8} ${MAP.height + 8}`} aria-hidden="true">
      {there.map(({ code, name }, at) => (
        <polygon key={code} points={points[at]}>
          <title>{`${name} ${code}`}</title>
        </polygon>
      ))}
    </svg>
  );
}

/** Cells of different datums beside each other: each corner where it is. */
function onOneMap([east, north]: Point, datum: Datum): Point {
  const { longitude, latitude } = inWgs84({ longitude: east, latitude: north }, datum);
  return [longitude, latitude];
}

function Sketch({ outline }: { outline: readonly Point[] }) {
  const [points] = drawn([outline], SMALL.width, SMALL.height);
  return (
    <svg class="cell-map" viewBox={`-4 -4 ${SMALL.width + 8} ${SMALL.height + 8}`} aria-hidden="true">
      <polygon points={points} />
    </svg>
  );
}

function Outline({ text, set, id }: { text: string; set: (to: unknown) => void; id: string }) {
  const found = corners(text);
  return (
    <>
      <textarea
        id={id}
        name="outline"
        rows={5}
        spellcheck={false}
        value={text}
        ref={(area) =>
          area?.setCustomValidity(typeof found === "number" ? t("admin_outline_wrong", { line: found }) : "")
        }
        onInput={(event) => set(event.currentTarget.value)}
      />
      {typeof found === "number" ? (
        <span class="wrong">{t("admin_outline_wrong", { line: found })}</span>
      ) : (
        found.length > 2 && <Sketch outline={found} />
      )}
    </>
  );
}

const keeper = (value: unknown) => (value ?? null) as Found | null;

const FIELDS: readonly Field[] = [
  { name: "name", title: "admin_name", kind: "text" },
  { name: "unit", title: "admin_unit", kind: "choice", required: true, options: unitOptions },
  {
    name: "keeper",
    sent: "user",
    title: "admin_keeper",
    kind: "own",
    told: (value) => keeper(value)?.name ?? t("admin_no_keeper"),
    control: (value, set, id) => {
      const there = keeper(value);
      return (
        <>
          {there && <Chips of={[there]} remove={() => set(null)} />}
          <Finder
            id={id}
            path="/people"
            words="admin_add_person"
            inside={there ? [there.id] : []}
            choose={({ id: chosen, name }) => set({ id: chosen, name })}
          />
        </>
      );
    },
  },
  {
    name: "outline",
    title: "admin_outline",
    kind: "own",
    hint: "admin_outline_hint",
    control: (value, set, id) => <Outline text={String(value ?? "")} set={set} id={id} />,
  },
  {
    name: "datum",
    title: "admin_datum",
    kind: "choice",
    options: () => ["WGS-84", "GCJ-02", "CGCS2000"].map((each) => [each, each] as const),
  },
];

const CODE: Field = {
  name: "code",
  title: "admin_cell_code",
  kind: "text",
  required: true,
  pattern: "[0-9]{15}",
  hint: "admin_cell_code_hint",
};

function show(values: Values): Values {
  const { user, user_name, outline, ...others } = values;
  return {
    ...others,
    keeper: user ? { id: user, name: user_name ?? "" } : null,
    outline: lines(outline as Point[]),
  };
}

function send(mine: Values): Values {
  const { keeper: of, outline, ...others } = mine;
  const found = corners(String(outline ?? ""));
  return { ...others, user: keeper(of)?.id ?? null, outline: typeof found === "number" ? [] : found };
}

export function CellPanel({ id, close, saved }: EditorProps) {
  const fresh = useSignal({ code: "", name: "", unit: tree(units.value)[0]?.unit.id ?? "" });
  const [found, kept] = useHeld(id === null ? null : `/cells/${id}`, {
    ...fresh.value,
    user: null,
    outline: [],
    datum: "WGS-84",
  });
  if (typeof found === "string") return <Panel title={t("admin_cells")} close={close} children={found} />;
  const create = async ({ code, ...values }: Values) => {
    await authorised("PUT", `/cells/${code}`, values);
    saved(String(code));
  };
  return (
    <Panel title={id ?? t("admin_new_cell")} close={close}>
      {found && (
        <Form
          fields={id === null ? [CODE, ...FIELDS] : FIELDS}
          path={id === null ? null : `/cells/${id}`}
          held={found}
          show={show}
          send={send}
          create={create}
          kept={kept}
          saved={saved}
        />
      )}
      {found && id !== null && may("units") && (
        <Delete
          path={`/cells/${id}`}
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
