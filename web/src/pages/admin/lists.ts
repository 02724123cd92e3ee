// What each list of the administration shows, and what may be done to a row. The server decides what is allowed.

import { authorised } from "../../account/authorised";
import { listed, roleWords, t } from "../../i18n";
import { momentWords } from "../../i18n/moments";
import type { Key } from "../../i18n/zh";
import type { Role } from "../../wire/protocol";
import { kindWords } from "./groups";
import { may, unitName } from "./office";
import { holdsOffice, ROLES, unitOptions } from "./people";

/** A row of a list; what has no id of its own (a grid cell) is known by its code. */
export type Row = Record<string, unknown> & { id: string };

export type Column = { title: Key; show: (row: Row) => string; wide?: boolean };
export type RowAct = {
  title: (row: Row) => string;
  run: (row: Row) => Promise<unknown>;
  offered?: () => boolean;
  /** Whether it may be done to this row; nothing: to each. */
  fits?: (row: Row) => boolean;
  /** What is asked before it is done; nothing: it is done at once. */
  question?: (row: Row) => string;
};
export type Filter = {
  name: string;
  title: Key;
  all: Key;
  options: () => readonly (readonly [value: string, words: string])[];
};
export type List = {
  name: string;
  title: Key;
  /** One of these rights, or the list is not offered. */
  rights: readonly string[];
  path: string;
  /** What may be searched for, in words; none: nothing. */
  search?: Key;
  /** What it may be narrowed to: by this name in the question, one of these values, ``all`` in words for any. */
  filters?: readonly Filter[];
  columns: readonly Column[];
  acts: readonly RowAct[];
  /** A row opens a panel; where there is `create`, and with its right, a new one can be made. */
  panel?: { create?: { right: string; title: Key } };
};

const text = (key: string) => (row: Row) => String(row[key] ?? "");
const yes = (value: unknown) => t(value ? "admin_yes" : "admin_no");
const time = (key: string) => (row: Row) => momentWords(Number(row[key]));

export const LISTS: readonly List[] = [
  {
    name: "people",
    title: "console_people",
    rights: ["people", "roles", "listen"],
    path: "/people",
    search: "admin_search",
    filters: [
      { name: "unit", title: "admin_unit", all: "admin_all_units", options: unitOptions },
      {
        name: "role",
        title: "admin_roles",
        all: "admin_all_roles",
        options: () => ROLES.map((role) => [role, roleWords(role)]),
      },
    ],
    panel: { create: { right: "people", title: "admin_new_person" } },
    columns: [
      { title: "admin_name", show: text("name") },
      { title: "admin_badge", show: text("badge") },
      { title: "admin_unit", show: (row) => unitName(row.unit) },
      { title: "admin_roles", show: (row) => listed((row.roles as Role[]).map(roleWords)) },
      { title: "admin_enabled", show: (row) => yes(row.enabled) },
      { title: "admin_banned", show: (row) => yes(row.talk_banned) },
    ],
    acts: [
      {
        title: (row) => t(row.talk_banned ? "admin_unban" : "admin_ban"),
        run: (row) => authorised("PUT", `/people/${row.id}/ban`, { banned: !row.talk_banned }),
        offered: () => may("ban"),
      },
      {
        title: (row) => t(row.enabled ? "admin_stop" : "admin_enable"),
        run: (row) => authorised("POST", `/people/${row.id}/${row.enabled ? "disable" : "enable"}`),
        offered: () => may("people", "roles"),
        fits: (row) => may(holdsOffice(row.roles as Role[]) ? "roles" : "people"),
        question: (row) => (row.enabled ? t("admin_stop_sure", { name: String(row.name) }) : ""),
      },
    ],
  },
  {
    name: "units",
    title: "admin_units",
    rights: ["units"],
    path: "/units",
    panel: { create: { right: "units", title: "admin_new_unit" } },
    columns: [],
    acts: [],
  },
  {
    name: "groups",
    title: "groups",
    rights: ["groups", "listen"],
    path: "/groups",
    search: "admin_search_groups",
    panel: { create: { right: "groups", title: "admin_new_group" } },
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
    name: "duty",
    title: "admin_duty",
    rights: ["duty", "people"],
    path: "/shifts",
    panel: { create: { right: "people", title: "admin_new_shift" } },
    columns: [],
    acts: [],
  },
  {
    name: "cells",
    title: "admin_cells",
    rights: ["units"],
    path: "/cells",
    search: "admin_search_cells",
    panel: { create: { right: "units", title: "admin_new_cell" } },
    columns: [
      { title: "admin_cell_code", show: text("code") },
      { title: "admin_name", show: text("name") },
      { title: "admin_unit", show: (row) => unitName(row.unit) },
      { title: "admin_keeper", show: (row) => String(row.user_name ?? t("admin_no_keeper")) },
      { title: "admin_outline", show: (row) => corners(row.outline) },
    ],
    acts: [],
  },
  {
    name: "devices",
    title: "admin_devices",
    rights: ["devices", "disable"],
    path: "/devices",
    search: "admin_search_devices",
    panel: {},
    columns: [
      { title: "admin_name", show: text("name") },
      { title: "admin_owner", show: text("user_name") },
      { title: "admin_last_seen", show: lastSeen },
      { title: "admin_state", show: (row) => t(row.enabled ? "admin_in_use" : "admin_disabled") },
    ],
    acts: [
      {
        title: (row) => t(row.enabled ? "admin_disable" : "admin_enable"),
        run: (row) => authorised("POST", `/devices/${row.id}/${row.enabled ? "disable" : "enable"}`),
        offered: () => may("disable", "sessions"),
        question: (row) => (row.enabled ? t("admin_disable_sure", { name: String(row.name) }) : ""),
      },
    ],
  },
  {
    name: "sessions",
    title: "admin_sessions",
    rights: ["sessions"],
    path: "/sessions",
    search: "admin_search",
    columns: [
      {
        title: "admin_owner",
        show: (row) => `${row.user_name}${row.own ? ` · ${t("admin_this_session")}` : ""}`,
      },
      { title: "admin_device", show: (row) => String(row.device_name ?? "—") },
      { title: "admin_way", show: (row) => wayWords(row.way) },
      { title: "admin_address", show: text("address") },
      { title: "admin_begun", show: time("created_ms") },
      { title: "admin_seen", show: time("seen_ms") },
    ],
    acts: [
      {
        title: () => t("admin_end_session"),
        run: (row) => authorised("DELETE", `/sessions/${row.id}`),
        question: (row) => t("admin_end_sure", { name: String(row.user_name) }),
      },
    ],
  },
  {
    name: "sharing",
    title: "admin_sharing",
    rights: ["sharing"],
    path: "/shares",
    columns: [],
    acts: [],
  },
  {
    name: "retention",
    title: "keep_title",
    rights: ["retention"],
    path: "/retention/rules",
    columns: [],
    acts: [],
  },
  {
    name: "sheets",
    title: "admin_sheets",
    rights: ["people", "units", "groups", "roles", "devices", "disable"],
    path: "/sheets",
    columns: [],
    acts: [],
  },
  {
    name: "bridge",
    title: "bridge_title",
    rights: ["settings"],
    path: "/bridge/receivers",
    columns: [],
    acts: [],
  },
  {
    name: "audit",
    title: "admin_audit",
    rights: ["read_audit"],
    path: "/audit",
    columns: [],
    acts: [],
  },
];

function lastSeen(row: Row): string {
  if (row.version === null) return "—"; // the database is away, which alone knows it
  return row.last_ms ? momentWords(Number(row.last_ms)) : t("admin_never");
}

function corners(outline: unknown): string {
  const count = (outline as unknown[]).length;
  return count > 2 ? t("admin_points", { count }) : t("admin_no_outline");
}

const WAYS: Record<string, Key> = {
  password: "way_password",
  enrolment: "way_enrolment",
  external: "way_external",
  demo: "way_demo",
};

function wayWords(way: unknown): string {
  const found = WAYS[String(way)];
  return found ? t(found) : String(way);
}

export type Page = { rows: readonly Row[]; next: string; total: number };
export const PAGE = 50;

/** What is looked for: `q` in words, and each filter that is set. */
export type Wanted = Readonly<Record<string, string>>;

/** The first rows of a list, at least `least` of them where there are so many: what was gone through stays in sight. */
export async function loadAll(list: List, wanted: Wanted, least: number): Promise<Page> {
  let found = await load(list, wanted, "");
  while (found.next && found.rows.length < least) {
    const more = await load(list, wanted, found.next);
    found = { ...more, rows: [...found.rows, ...more.rows] };
  }
  return found;
}

export async function load(list: List, wanted: Wanted, after: string): Promise<Page> {
  const query = new URLSearchParams({ limit: String(PAGE) });
  for (const [name, value] of Object.entries({ ...wanted, after }))
    if (value.trim()) query.set(name, value.trim());
  const { items, next, total } = await authorised<{ items: Row[]; next?: string | null; total: number }>(
    "GET",
    `${list.path}?${query}`,
  );
  return { rows: items.map((row) => ({ ...row, id: String(row.id ?? row.code) })), next: next ?? "", total };
}
