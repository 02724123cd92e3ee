// One person: what the system administrator enters, what the security administrator gives.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../../account/authorised";
import { listed, roleWords, t } from "../../i18n";
import type { Role } from "../../wire/protocol";
import { Delete, type Field, Form, Panel } from "./Editor";
import { may, tree, units, wordsOf } from "./office";
import { type Held, read } from "./record";

export const ROLES: readonly Role[] = [
  "officer",
  "handler",
  "intake",
  "dispatcher",
  "shift_leader",
  "leader",
  "supervisor",
  "system_admin",
  "security_admin",
  "audit_admin",
];

/** Administrators are changed by the security administrator only. */
export const holdsOffice = (roles: readonly Role[]) => roles.some((role) => role.endsWith("_admin"));

export const unitOptions = () =>
  tree(units.value).map(({ unit, depth }) => [unit.id, `${"\u3000".repeat(depth)}${unit.name}`] as const);

const FIELDS: readonly Field[] = [
  { name: "name", title: "admin_name", kind: "text", required: true },
  { name: "badge", title: "admin_badge", kind: "text" },
  {
    name: "kind",
    title: "admin_kind",
    kind: "choice",
    options: () => [
      ["person", t("admin_person")],
      ["vehicle", t("admin_vehicle")],
      ["post", t("admin_post")],
    ],
  },
  { name: "unit", title: "admin_unit", kind: "choice", required: true, options: unitOptions },
  { name: "account", title: "admin_account", kind: "text" },
  { name: "phone", title: "admin_phone", kind: "text" },
  { name: "enabled", title: "admin_enabled", kind: "check" },
  { name: "talk_banned", title: "admin_banned", kind: "check" },
];

export type EditorProps = { id: string | null; close: () => void; saved: (id?: string) => void };

export function PersonPanel({ id, close, saved }: EditorProps) {
  const [found, kept] = useHeld(id === null ? null : `/people/${id}`, {
    name: "",
    badge: "",
    kind: "person",
    unit: units.value[0] ? (tree(units.value)[0]?.unit.id ?? "") : "",
    account: "",
    phone: "",
    enabled: true,
    talk_banned: false,
  });
  if (typeof found === "string") return <Panel title={t("console_people")} close={close} children={found} />;
  const roles = (found?.values.roles ?? []) as Role[];
  const edits = id === null || may(holdsOffice(roles) ? "roles" : "people");
  return (
    <Panel title={id === null ? t("admin_new_person") : String(found?.values.name ?? "")} close={close}>
      {found && edits && (
        <Form
          fields={FIELDS.filter(({ name }) => name !== "talk_banned" || may("ban"))}
          path={id === null ? null : `/people/${id}`}
          held={found}
          create={async (values) => saved((await authorised<{ id: string }>("POST", "/people", values)).id)}
          kept={kept}
          saved={saved}
        />
      )}
      {found && id !== null && (
        <>
          {may("roles") && (
            <section class="part">
              <Form
                fields={ROLES_FIELDS}
                path={`/people/${id}`}
                to={`/people/${id}/roles`}
                held={found}
                show={(values) => ({ roles: [...(values.roles as Role[])].sort() })}
                kept={kept}
                saved={saved}
                button="admin_save_roles"
              />
            </section>
          )}
          {edits && <Enrolment id={id} />}
          {edits && <Password id={id} tag={found.tag} kept={kept} />}
          {edits && (
            <Delete
              path={`/people/${id}`}
              tag={found.tag}
              later={kept}
              gone={() => {
                saved();
                close();
              }}
            />
          )}
        </>
      )}
    </Panel>
  );
}

/** What is edited once it is read (a string says why it could not be), and how a later version is taken over. */
export function useHeld(
  path: string | null,
  fresh: Held["values"],
): readonly [held: Held | string | null, kept: (now: Held) => void] {
  const held = useSignal<Held | string | null>(path === null ? { values: fresh, tag: "" } : null);
  useEffect(() => {
    if (path === null) return;
    void read(path).then(
      (found) => {
        held.value = found;
      },
      (problem) => {
        held.value = wordsOf(problem);
      },
    );
  }, [path, held]);
  return [
    held.value,
    (now) => {
      held.value = now;
    },
  ];
}

const ROLES_FIELDS: readonly Field[] = [
  {
    name: "roles",
    title: "admin_roles",
    kind: "own",
    told: (value) => listed((value as Role[]).map(roleWords)),
    control: (value, set, id) => <Ticks id={id} wanted={value as Role[]} set={set} />,
  },
];

type TicksProps = { id: string; wanted: readonly Role[]; set: (to: readonly Role[]) => void };

function Ticks({ id, wanted, set }: TicksProps) {
  return (
    <ul id={id} class="ticks">
      {ROLES.map((role) => (
        <li key={role}>
          <label class="check">
            <input
              type="checkbox"
              name={`role-${role}`}
              checked={wanted.includes(role)}
              onChange={(event) => {
                const others = wanted.filter((each) => each !== role);
                set(event.currentTarget.checked ? [...others, role].sort() : others);
              }}
            />
            {roleWords(role)}
          </label>
        </li>
      ))}
    </ul>
  );
}

function Enrolment({ id }: { id: string }) {
  const link = useSignal("");
  const word = useSignal("");
  const make = async () => {
    try {
      const { path } = await authorised<{ path: string }>("POST", `/people/${id}/enrolments`, {});
      link.value = `${location.origin}${path}`;
      word.value = t("admin_link_hint");
    } catch (problem) {
      word.value = wordsOf(problem);
    }
  };
  return (
    <section class="part">
      <h3>{t("admin_invite")}</h3>
      {link.value && (
        <p class="row">
          <input class="link" readonly value={link.value} aria-label={t("admin_invite")} />
          <button
            type="button"
            onClick={() =>
              void navigator.clipboard?.writeText(link.value).then(() => {
                word.value = t("admin_copied");
              })
            }
          >
            {t("admin_copy")}
          </button>
        </p>
      )}
      <p class="row">
        <button type="button" class="invite" onClick={() => void make()}>
          {t("admin_make_link")}
        </button>
        <span role="status">{word.value}</span>
      </p>
    </section>
  );
}

type PasswordProps = { id: string; tag: string; kept: (now: Held) => void };

function Password({ id, tag, kept }: PasswordProps) {
  const text = useSignal("");
  const word = useSignal("");
  const set = async () => {
    try {
      await authorised("PUT", `/people/${id}/password`, { password: text.value }, { "if-match": tag });
      text.value = "";
      word.value = t("admin_password_set");
    } catch (problem) {
      word.value = wordsOf(problem);
    }
    // Also when another was quicker: what he did is seen before it is tried again.
    await read(`/people/${id}`).then(kept, () => undefined);
  };
  return (
    <section class="part">
      <h3>{t("admin_new_password")}</h3>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void set();
        }}
      >
        <input
          type="password"
          name="new-password"
          autocomplete="new-password"
          aria-label={t("admin_new_password")}
          required
          maxLength={256}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
        <button type="submit">{t("admin_set")}</button>
      </form>
      <span role="status">{word.value}</span>
    </section>
  );
}
