// One person: what the system administrator enters, what the security administrator gives.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../../account/authorised";
import { roleWords, t } from "../../i18n";
import type { Role } from "../../wire/protocol";
import { Delete, type Field, Form, Panel } from "./Editor";
import { useHold } from "./Leaving";
import { may, tree, units, wordsOf } from "./office";
import { type Held, read, same, write } from "./record";

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
  const office = roles.some((role) => role.endsWith("_admin"));
  const edits = id === null || may(office ? "roles" : "people");
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
          {may("roles") && <Roles id={id} roles={roles} kept={kept} saved={saved} />}
          {edits && <Enrolment id={id} />}
          {edits && <Password id={id} kept={kept} />}
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

type RolesProps = { id: string; roles: readonly Role[]; kept: (now: Held) => void; saved: () => void };

function Roles({ id, roles, kept, saved }: RolesProps) {
  const before = useSignal<readonly Role[]>([...roles].sort());
  const wanted = useSignal<readonly Role[]>(before.value);
  const word = useSignal("");
  useHold(() => !same(before.value, wanted.value));
  const save = async () => {
    try {
      const now = await write(`/people/${id}/roles`, { roles: wanted.value }, "*");
      before.value = wanted.value = [...(now.values.roles as Role[])].sort();
      kept(now);
      word.value = t("admin_saved");
      saved();
    } catch (problem) {
      word.value = wordsOf(problem);
    }
  };
  return (
    <section class="part">
      <h3>{t("admin_roles")}</h3>
      <ul class="ticks">
        {ROLES.map((role) => (
          <li key={role}>
            <label class="check">
              <input
                type="checkbox"
                name={`role-${role}`}
                checked={wanted.value.includes(role)}
                onChange={(event) => {
                  const others = wanted.value.filter((each) => each !== role);
                  wanted.value = event.currentTarget.checked ? [...others, role].sort() : others;
                }}
              />
              {roleWords(role)}
            </label>
          </li>
        ))}
      </ul>
      <p class="row">
        <button type="button" disabled={same(before.value, wanted.value)} onClick={() => void save()}>
          {t("admin_save_roles")}
        </button>
        <span role="status">{word.value}</span>
      </p>
    </section>
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

function Password({ id, kept }: { id: string; kept: (now: Held) => void }) {
  const text = useSignal("");
  const word = useSignal("");
  const set = async () => {
    try {
      await authorised("PUT", `/people/${id}/password`, { password: text.value });
      text.value = "";
      word.value = t("admin_password_set");
      kept(await read(`/people/${id}`));
    } catch (problem) {
      word.value = wordsOf(problem);
    }
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
