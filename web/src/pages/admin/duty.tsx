// Duty: who is on duty now, the shifts of a week, and the shift that is edited.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../../account/authorised";
import { MAX_PAGE } from "../../generated/limits.json";
import { listed, t } from "../../i18n";
import { clockWords } from "../../i18n/moments";
import { Delete, type Field, Form, Panel } from "./Editor";
import { Chips, Finder, type Found } from "./Finder";
import { dayWords, entered, later, midnight, milliseconds, spanWords, weekDay } from "./moments";
import { may, ownUnit, parted, tree, unitName, units, wordsOf } from "./office";
import { type EditorProps, unitOptions, useHeld } from "./people";
import type { Values } from "./record";

type Shift = {
  id: string;
  unit: string;
  name: string;
  starts_ms: number;
  ends_ms: number;
  people: (Found & { unit: string })[];
};

const WEEK = 7;
const REFRESH_MS = 60_000;
const NAMES_SHOWN = 6;
const MORNING_H = 8;
const SHIFT_MS = 8 * 3_600_000;

type ShiftsPage = { items: Shift[]; next?: string | null };

/** All that touch this time, page by page. */
async function shifts(from: number, until: number): Promise<Shift[]> {
  const asked = `/shifts?from_ms=${Math.round(from)}&until_ms=${Math.round(until)}&limit=${MAX_PAGE}`;
  const found: Shift[] = [];
  let after: string | null = "";
  while (after !== null) {
    const page: ShiftsPage = await authorised<ShiftsPage>("GET", after ? `${asked}&after=${after}` : asked);
    found.push(...page.items);
    after = page.next ?? null;
  }
  return found;
}

type DutyProps = { turn: number; open: (id: string | null) => void };

export function Duty({ turn, open }: DutyProps) {
  const from = useSignal(midnight(Date.now()));
  const running = useSignal<readonly Shift[] | null>(null);
  const planned = useSignal<readonly Shift[]>([]);
  const word = useSignal("");
  const read = async () => {
    const asked = from.peek();
    try {
      const now = Date.now();
      const [here, week] = await Promise.all([shifts(now, now + 1), shifts(asked, midnight(asked, WEEK))]);
      if (asked !== from.peek()) return;
      running.value = here;
      planned.value = week;
      word.value = "";
    } catch (problem) {
      word.value = wordsOf(problem);
    }
  };
  useEffect(() => {
    void read();
    const timer = window.setInterval(() => void read(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [from.value, turn]);
  const go = (days: number) => {
    from.value = midnight(from.value, days);
  };
  return (
    <div class="duty">
      <p class="word" role="status">
        {word.value}
      </p>
      <section class="now">
        <h2>{t("admin_duty_now")}</h2>
        {running.value?.length === 0 && (
          <p class="hint">
            {t("admin_nobody_on_duty")} {t("admin_no_shifts_hint")}
          </p>
        )}
        <ul class="cards">
          {running.value?.map((shift) => (
            <li key={shift.id}>
              <header>
                <button type="button" class="open" onClick={() => open(shift.id)}>
                  {shift.name}
                </button>
                <span class="soft">{t("admin_until", { time: endWords(shift.ends_ms) })}</span>
              </header>
              <p class="soft">
                {unitName(shift.unit)} · {t("admin_count_people", { count: shift.people.length })}
              </p>
              <Chips of={shift.people} />
            </li>
          ))}
        </ul>
      </section>
      <section>
        <div class="tools week">
          <button type="button" aria-label={t("admin_earlier")} onClick={() => go(-WEEK)}>
            ‹
          </button>
          <h2>
            {t("admin_week_of", {
              from: dayWords(from.value),
              until: dayWords(midnight(from.value, WEEK - 1)),
            })}
          </h2>
          <button type="button" aria-label={t("admin_later")} onClick={() => go(WEEK)}>
            ›
          </button>
          {from.value !== midnight(Date.now()) && (
            <button
              type="button"
              onClick={() => {
                from.value = midnight(Date.now());
              }}
            >
              {t("admin_this_week")}
            </button>
          )}
          <button type="button" class="primary new" onClick={() => open(null)}>
            {t("admin_new_shift")}
          </button>
        </div>
        <Week from={from.value} planned={planned.value} open={open} />
      </section>
    </div>
  );
}

type WeekProps = { from: number; planned: readonly Shift[]; open: (id: string) => void };

function Week({ from, planned, open }: WeekProps) {
  return (
    <ol class="days">
      {Array.from({ length: WEEK }, (_, day) => midnight(from, day)).map((day) => {
        const until = midnight(day, 1);
        // A night shift stands on the day it begins; what began before the week, on its first day.
        const here = planned.filter(({ starts_ms }) => Math.max(starts_ms, from) >= day && starts_ms < until);
        return (
          <li key={day} data-today={day === midnight(Date.now())}>
            <h3>{weekDay(day)}</h3>
            {here.length === 0 && <p class="soft none">—</p>}
            <ul>
              {here.map((shift) => (
                <li key={shift.id} class="shift">
                  <span class="span">{spanWords(shift.starts_ms, shift.ends_ms, day)}</span>
                  <Name shift={shift} open={open} />
                  <span class="soft">{unitName(shift.unit)}</span>
                  <span class="names">{names(shift.people)}</span>
                </li>
              ))}
            </ul>
          </li>
        );
      })}
    </ol>
  );
}

/** What is over can be looked at here, but no longer be opened. */
function Name({ shift, open }: { shift: Shift; open: (id: string) => void }) {
  if (shift.ends_ms <= Date.now()) return <span>{shift.name}</span>;
  return (
    <button type="button" class="open" onClick={() => open(shift.id)}>
      {shift.name}
    </button>
  );
}

function endWords(ms: number): string {
  return midnight(ms) === midnight(Date.now()) ? clockWords(ms) : `${dayWords(ms)} ${clockWords(ms)}`;
}

function names(people: readonly Found[]): string {
  const first = listed(people.slice(0, NAMES_SHOWN).map(({ name }) => name));
  const count = t("admin_count_people", { count: people.length });
  return people.length > NAMES_SHOWN ? `${first}… ${count}` : first || count;
}

const people = (value: unknown) => (value ?? []) as Found[];

/** The unit of a shift leader, who plans for it and those below; none of an administrator, who plans for all. */
const ownUnitOnly = () => (may("people") ? undefined : (ownUnit.value ?? undefined));

const FIELDS: readonly Field[] = [
  { name: "name", title: "admin_name", kind: "text", required: true },
  { name: "unit", title: "admin_unit", kind: "choice", required: true, options: unitOptions },
  { name: "starts", sent: "starts_ms", title: "admin_starts", kind: "moment" },
  { name: "ends", sent: "ends_ms", title: "admin_ends", kind: "moment" },
  {
    name: "people",
    sent: "users",
    title: "admin_on_shift",
    kind: "own",
    told: (value) => listed(people(value).map(({ name }) => name)) || "—",
    control: (value, set, id) => (
      <>
        <Chips of={people(value)} remove={(gone) => set(people(value).filter((each) => each.id !== gone))} />
        <Finder
          id={id}
          path="/people"
          words="admin_add_person"
          within={ownUnitOnly()}
          inside={people(value).map((each) => each.id)}
          choose={({ id: chosen, name, badge }) =>
            set([...people(value), { id: chosen, name, badge: badge ?? "" }])
          }
        />
      </>
    ),
  },
];

function show(values: Values): Values {
  const { starts_ms, ends_ms } = values as unknown as Shift;
  const on = people(values.people).map(({ id, name, badge }) => ({ id, name, badge }));
  return { ...values, starts: entered(starts_ms), ends: entered(ends_ms), people: on };
}

function send(mine: Values): Values {
  const { starts, ends, people: on, ...others } = mine;
  return {
    ...others,
    starts_ms: milliseconds(String(starts)),
    ends_ms: milliseconds(String(ends)),
    users: people(on).map(({ id }) => id),
  };
}

export function ShiftPanel({ id, close, saved }: EditorProps) {
  const morning = midnight(Date.now(), 1) + MORNING_H * 3_600_000;
  const [found, kept] = useHeld(id === null ? null : `/shifts/${id}`, {
    name: "",
    unit: ownUnitOnly() ?? tree(units.value)[0]?.unit.id ?? "",
    starts_ms: morning,
    ends_ms: morning + SHIFT_MS,
    people: [],
  });
  if (typeof found === "string") return <Panel title={t("admin_shift")} close={close} children={found} />;
  const create = async (values: Values) =>
    saved((await authorised<{ id: string }>("POST", "/shifts", values)).id);
  return (
    <Panel title={id === null ? t("admin_new_shift") : String(found?.values.name ?? "")} close={close}>
      {found && (
        <Form
          fields={FIELDS}
          path={id === null ? null : `/shifts/${id}`}
          held={found}
          show={show}
          send={send}
          create={create}
          kept={kept}
          saved={saved}
        />
      )}
      {found && id !== null && may("duty", "people") && (
        <>
          <Copies id={id} saved={saved} />
          <Delete
            path={`/shifts/${id}`}
            tag={found.tag}
            later={kept}
            gone={() => {
              saved();
              close();
            }}
          />
        </>
      )}
    </Panel>
  );
}

/** The same people at the same hours on another day: those whose duty one plans, and it is said who is not among them. */
function Copies({ id, saved }: { id: string; saved: () => void }) {
  const word = useSignal("");
  const busy = useSignal(false);
  const copy = async (days: number) => {
    busy.value = true;
    try {
      const { name, unit, starts_ms, ends_ms, people: on } = await authorised<Shift>("GET", `/shifts/${id}`);
      const starts = later(starts_ms, days);
      const [mine, others] = parted(on, ownUnitOnly());
      const users = mine.map((each) => each.id);
      const body = { name, unit, starts_ms: starts, ends_ms: later(ends_ms, days), users };
      await authorised("POST", "/shifts", body);
      const day = dayWords(starts);
      word.value = others.length
        ? t("admin_copied_without", { day, names: names(others) })
        : t("admin_copied_shift", { day });
      saved();
    } catch (problem) {
      word.value = wordsOf(problem);
    }
    busy.value = false;
  };
  return (
    <section class="part">
      <p class="row">
        <button type="button" disabled={busy.value} onClick={() => void copy(1)}>
          {t("admin_next_day")}
        </button>
        <button type="button" disabled={busy.value} onClick={() => void copy(WEEK)}>
          {t("admin_next_week")}
        </button>
      </p>
      <span role="status">{word.value}</span>
    </section>
  );
}
