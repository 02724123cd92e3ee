// What each list of the administration shows, and what may be done to a row. The server decides what is allowed.

import { authorised } from "../../account/authorised";
import { roleWords, t } from "../../i18n";
import type { Key } from "../../i18n/zh";
import type { Role } from "../../wire/protocol";
import { kindWords } from "./groups";
import { may, unitName } from "./office";

export type Row = Record<string, unknown> & { id?: string };

export type Column = { title: Key; show: (row: Row) => string; wide?: boolean };
export type RowAct = {
  title: (row: Row) => string;
  run: (row: Row) => Promise<unknown>;
  offered?: () => boolean;
};
export type List = {
  name: string;
  title: Key;
  /** One of these rights, or the list is not offered. */
  rights: readonly string[];
  path: string;
  search: boolean;
  columns: readonly Column[];
  acts: readonly RowAct[];
  /** A row opens a panel; with the right, a new one can be made. */
  panel?: { create: string; title: Key };
};

const text = (key: string) => (row: Row) => String(row[key] ?? "");
const yes = (value: unknown) => t(value ? "admin_yes" : "admin_no");
const time = (key: string) => (row: Row) => new Date(Number(row[key])).toLocaleString();

export const LISTS: readonly List[] = [
  {
    name: "people",
    title: "console_people",
    rights: ["people", "roles", "listen"],
    path: "/people",
    search: true,
    panel: { create: "people", title: "admin_new_person" },
    columns: [
      { title: "admin_name", show: text("name") },
      { title: "admin_badge", show: text("badge") },
      { title: "admin_unit", show: (row) => unitName(row.unit) },
      { title: "admin_roles", show: (row) => (row.roles as Role[]).map(roleWords).join("、") },
      { title: "admin_enabled", show: (row) => yes(row.enabled) },
      { title: "admin_banned", show: (row) => yes(row.talk_banned) },
    ],
    acts: [
      {
        title: (row) => t(row.talk_banned ? "admin_unban" : "admin_ban"),
        run: (row) => authorised("PUT", `/people/${row.id}/ban`, { banned: !row.talk_banned }),
        offered: () => may("ban"),
      },
    ],
  },
  {
    name: "units",
    title: "admin_units",
    rights: ["units"],
    path: "/units",
    search: false,
    panel: { create: "units", title: "admin_new_unit" },
    columns: [],
    acts: [],
  },
  {
    name: "groups",
    title: "groups",
    rights: ["groups", "listen"],
    path: "/groups",
    search: true,
    panel: { create: "groups", title: "admin_new_group" },
    columns: [
      { title: "admin_name", show: text("name") },
      { title: "admin_unit", show: (row) => unitName(row.unit) },
      { title: "admin_kind", show: (row) => kindWords(row.kind) },
      { title: "admin_members", show: text("members") },
      { title: "admin_enabled", show: (row) => yes(row.enabled) },
    ],
    acts: [],
  },
  {
    name: "devices",
    title: "admin_devices",
    rights: ["devices", "disable"],
    path: "/devices",
    search: false,
    columns: [
      { title: "admin_name", show: text("name") },
      { title: "admin_owner", show: text("user_name") },
      { title: "admin_enabled", show: (row) => yes(row.enabled) },
    ],
    acts: [
      {
        title: (row) => t(row.enabled ? "admin_disable" : "admin_enable"),
        run: (row) => authorised("POST", `/devices/${row.id}/${row.enabled ? "disable" : "enable"}`),
        offered: () => may("disable", "sessions"),
      },
    ],
  },
  {
    name: "sessions",
    title: "admin_sessions",
    rights: ["sessions"],
    path: "/sessions",
    search: false,
    columns: [
      { title: "admin_owner", show: text("user_name") },
      { title: "admin_devices", show: text("device_name") },
      { title: "admin_way", show: text("way") },
      { title: "admin_address", show: text("address") },
      { title: "admin_seen", show: time("seen_ms") },
    ],
    acts: [
      {
        title: () => t("admin_end_session"),
        run: (row) => authorised("DELETE", `/sessions/${row.id}`),
      },
    ],
  },
  {
    name: "sheets",
    title: "admin_sheets",
    rights: ["people", "units", "groups", "roles"],
    path: "/sheets",
    search: false,
    columns: [],
    acts: [],
  },
  {
    name: "bridge",
    title: "bridge_title",
    rights: ["settings"],
    path: "/bridge/receivers",
    search: false,
    columns: [],
    acts: [],
  },
  {
    name: "audit",
    title: "admin_audit",
    rights: ["read_audit"],
    path: "/audit",
    search: false,
    columns: [
      { title: "admin_time", show: time("at_ms") },
      { title: "admin_owner", show: text("actor_name") },
      { title: "admin_action", show: text("action") },
      { title: "admin_target", show: (row) => String(row.target_name ?? `${row.target_kind} ${row.target}`) },
      { title: "admin_detail", show: (row) => plain(row.detail), wide: true },
      { title: "admin_address", show: text("address") },
    ],
    acts: [],
  },
];

/** Details of an entry in one line; what is empty says nothing. */
function plain(detail: unknown): string {
  return Object.entries((detail ?? {}) as Record<string, unknown>)
    .filter(([, value]) => value !== null && value !== "")
    .map(([key, value]) => `${key}: ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(", ");
}

export async function load(list: List, q: string, after: string): Promise<{ rows: Row[]; next: string }> {
  const query = new URLSearchParams({
    limit: "50",
    ...(q && list.search ? { q } : {}),
    ...(after ? { after } : {}),
  });
  const found = await authorised<Row[] | { items: Row[]; next?: string | null }>(
    "GET",
    `${list.path}?${query}`,
  );
  return Array.isArray(found) ? { rows: found, next: "" } : { rows: found.items, next: found.next ?? "" };
}
