// One form for whatever is edited: fields, what is wrong with them, and what to do when somebody else was quicker.

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Problem } from "../../account/api";
import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import type { Key } from "../../i18n/zh";
import { Icon } from "../../ui/icons";
import { Moment } from "../../ui/Moment";
import { leave, useHold } from "./Leaving";
import { wordsOf } from "./office";
import { type Clash, clashes, type Held, isNamed, merged, read, same, type Values, write } from "./record";
import { Sure } from "./Sure";

export type Field = {
  name: string;
  title: Key;
  kind: "text" | "check" | "number" | "choice" | "moment" | "own";
  options?: () => readonly (readonly [value: string, label: string])[];
  required?: boolean;
  /** What the server calls it, where the form has another name for it. */
  sent?: string;
  /** Said below the field. */
  hint?: Key;
  pattern?: string;
  /** Of numbers: how fine; and nothing may stand there, which is null. */
  step?: string;
  optional?: boolean;
  /** Stands above it: a part of the form begins. */
  heading?: Key;
  /** Asked only then; what it holds is sent all the same. */
  when?: (values: Values) => boolean;
  /** Of the kind `own`: how it is entered, and how its value is told in a line. */
  control?: (value: unknown, set: (to: unknown) => void, id: string) => JSX.Element;
  told?: (value: unknown) => string;
};

type FormProps = {
  fields: readonly Field[];
  /** Where it is read and written; null for something new. */
  path: string | null;
  /** Where it is written, if not there. */
  to?: string;
  held: Held;
  /** What the server has as what the form shows, and back. */
  show?: (values: Values) => Values;
  send?: (mine: Values, held: Values) => Values;
  create?: (values: Values) => Promise<unknown>;
  /** Told of what the server has after a save; `held` may be given anew whenever a later version is known. */
  kept?: (now: Held) => void;
  saved: () => void;
  /** What stands on the key. */
  button?: Key;
};

const asItIs = (values: Values) => values;

/** What the form shows, and `whole`: what the server has, of which the form may show a part. */
type Seen = Held & { whole: Values };

export function Form({
  fields,
  path,
  to,
  held,
  show = asItIs,
  send = asItIs,
  create,
  kept,
  saved,
  button = path === null ? "admin_create" : "admin_save",
}: FormProps) {
  const seen = ({ values, tag }: Held): Seen => ({ values: show(values), tag, whole: values });
  const base = useSignal(seen(held));
  const mine = useSignal(base.value.values);
  const problem = useSignal<unknown>(null);
  const clash = useSignal<{ theirs: Seen; fields: Clash[] } | null>(null);
  const busy = useSignal(false);
  const done = useSignal(false);
  const changed = !same(base.value.values, mine.value);
  useHold(() => !same(base.value.values, mine.value));

  const save = async () => {
    busy.value = true;
    problem.value = null;
    try {
      const body = send(only(fields, mine.value), base.value.whole);
      if (path === null) await create?.(body);
      else {
        const now = await write(to ?? path, body, base.value.tag);
        base.value = seen(now);
        mine.value = base.value.values;
        clash.value = null;
        done.value = true;
        kept?.(now);
      }
      saved();
    } catch (found) {
      if (path !== null && found instanceof Problem && found.status === 412) await compare(path);
      else problem.value = found;
    }
    busy.value = false;
  };
  const differing = (theirs: Seen) => {
    const known = new Set(fields.map(({ name }) => name));
    return clashes(base.value.values, mine.value, theirs.values).filter(({ field }) => known.has(field));
  };
  const adopt = (theirs: Seen) => {
    mine.value = merged(base.value.values, mine.value, theirs.values);
    base.value = theirs;
  };
  const compare = async (from: string) => {
    try {
      const theirs = seen(await read(from));
      const found = differing(theirs);
      if (found.length > 0) clash.value = { theirs, fields: found };
      else {
        // What another changed is not of this form (a password, roles): there is nothing to ask.
        adopt(theirs);
        await save();
      }
    } catch (found) {
      problem.value = found;
    }
  };
  useEffect(() => {
    if (held.tag === base.peek().tag) return;
    const theirs = seen(held);
    const found = differing(theirs);
    if (found.some(({ mine: and }) => and !== undefined)) clash.value = { theirs, fields: found };
    else adopt(theirs);
  }, [held]);
  const resolve = (values: Values) => {
    if (!clash.value) return;
    base.value = clash.value.theirs;
    mine.value = values;
    clash.value = null;
  };
  return (
    <form
      class="fields"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {clash.value && (
        <Conflict
          fields={fields}
          clash={clash.value.fields}
          keep={() => {
            const theirs = clash.value?.theirs.values ?? {};
            resolve(merged(base.value.values, mine.value, theirs));
            void save();
          }}
          take={() => resolve(clash.value?.theirs.values ?? {})}
        />
      )}
      {problem.value !== null && (
        <p class="problem" role="alert">
          {wordsOf(problem.value)}
        </p>
      )}
      {fields
        .filter(({ when }) => when?.(mine.value) ?? true)
        .map((field) => (
          <Input key={field.name} field={field} values={mine} problem={problem.value} />
        ))}
      <p class="row">
        <button type="submit" class="primary" disabled={busy.value || (path !== null && !changed)}>
          {t(button)}
        </button>
        <span role="status">{done.value && !changed && t("admin_saved")}</span>
      </p>
    </form>
  );
}

function only(fields: readonly Field[], mine: Values): Values {
  return Object.fromEntries(fields.map(({ name }) => [name, mine[name]]));
}

function Input({ field, values, problem }: { field: Field; values: Signal<Values>; problem: unknown }) {
  const value = values.value[field.name];
  const set = (to: unknown) => {
    values.value = { ...values.value, [field.name]: to };
  };
  const wrong = problem instanceof Problem && isNamed(field.sent ?? field.name, problem.fields);
  const id = `field-${field.name}`;
  const heading = field.heading && <h3 class="heading">{t(field.heading)}</h3>;
  const below = field.hint && <span class="below">{t(field.hint)}</span>;
  if (field.kind === "check")
    return (
      <>
        {heading}
        <div class="field">
          <label class="check">
            <input
              type="checkbox"
              name={field.name}
              checked={Boolean(value)}
              onChange={(event) => set(event.currentTarget.checked)}
            />
            {t(field.title)}
          </label>
          {below}
        </div>
      </>
    );
  return (
    <>
      {heading}
      <div class="field" data-wrong={wrong}>
        <label for={id}>{t(field.title)}</label>
        {field.control ? (
          field.control(value, set, id)
        ) : (
          <Control id={id} field={field} value={value} set={set} />
        )}
        {below}
        {wrong && <span class="wrong">{t("admin_wrong_field")}</span>}
      </div>
    </>
  );
}

type ControlProps = { id: string; field: Field; value: unknown; set: (to: unknown) => void };

function Control({ id, field, value, set }: ControlProps) {
  const { name, required = false } = field;
  if (field.kind === "choice")
    return (
      <select
        id={id}
        name={name}
        value={String(value ?? "")}
        required={required}
        onChange={(event) => set(event.currentTarget.value || null)}
      >
        {field.options?.().map(([key, label]) => (
          <option key={key} value={key}>
            {label}
          </option>
        ))}
      </select>
    );
  if (field.kind === "number")
    return (
      <input
        id={id}
        name={name}
        type="number"
        min={0}
        step={field.step}
        value={value === null ? "" : Number(value)}
        required={!field.optional}
        onInput={({ currentTarget: { value: entered } }) =>
          set(field.optional && entered === "" ? null : Number(entered))
        }
      />
    );
  if (field.kind === "moment")
    return <Moment id={id} name={name} value={String(value ?? "")} required set={set} />;
  return (
    <input
      id={id}
      name={name}
      value={String(value ?? "")}
      required={required}
      pattern={field.pattern}
      maxLength={128}
      autocomplete="off"
      onInput={(event) => set(event.currentTarget.value)}
    />
  );
}

type ConflictProps = {
  fields: readonly Field[];
  clash: readonly Clash[];
  keep: () => void;
  take: () => void;
};

function Conflict({ fields, clash, keep, take }: ConflictProps) {
  return (
    <div class="conflict" role="alert">
      <p>{t("admin_conflict")}</p>
      <ul>
        {clash.map(({ field, theirs, mine }) => {
          const known = fields.find(({ name }) => name === field);
          return (
            <li key={field}>
              <b>{known ? t(known.title) : field}</b> {t("admin_theirs")} {shown(known, theirs)}
              {mine !== undefined && (
                <>
                  {" · "}
                  {t("admin_mine")} {shown(known, mine)}
                </>
              )}
            </li>
          );
        })}
      </ul>
      <p class="row">
        <button type="button" class="primary" onClick={keep}>
          {t("admin_keep_mine")}
        </button>
        <button type="button" onClick={take}>
          {t("admin_take_theirs")}
        </button>
      </p>
    </div>
  );
}

function shown(field: Field | undefined, value: unknown): string {
  if (field?.told) return field.told(value);
  if (typeof value === "boolean") return t(value ? "admin_yes" : "admin_no");
  const label = field?.options?.().find(([key]) => key === String(value ?? ""))?.[1];
  return `“${(label ?? String(value ?? "")).trim()}”`;
}

/** The panel beside the list, or over it on a phone. */
export function Panel({
  title,
  close,
  children,
}: {
  title: string;
  close: () => void;
  children: ComponentChildren;
}) {
  return (
    <aside class="editor" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="quiet" aria-label={t("close")} onClick={() => leave(close)}>
          <Icon.close />
        </button>
      </header>
      {children}
    </aside>
  );
}

type DeleteProps = { path: string; tag: string; later: (now: Held) => void; gone: () => unknown };

/** Deletes what the person has before his eyes; what was changed meanwhile is shown (`later`) before he may again. */
export function Delete({ path, tag, later, gone }: DeleteProps) {
  const run = async () => {
    try {
      await authorised("DELETE", path, undefined, { "if-match": tag });
    } catch (found) {
      if (found instanceof Problem && found.status === 412) later(await read(path));
      throw found;
    }
    await gone();
  };
  return <Danger title={t("admin_delete")} run={run} />;
}

/** What cannot be taken back, at the foot of a panel. */
function Danger({ title, run }: { title: string; run: () => Promise<unknown> }) {
  const problem = useSignal<unknown>(null);
  return (
    <section class="part danger">
      {problem.value !== null && (
        <p class="problem" role="alert">
          {wordsOf(problem.value)}
        </p>
      )}
      <Sure
        title={title}
        run={() =>
          run().catch((found) => {
            problem.value = found;
          })
        }
      />
    </section>
  );
}
